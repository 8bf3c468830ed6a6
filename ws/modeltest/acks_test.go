package modeltest

import (
	"fmt"
	"slices"
	"time"
)

// acking is frame 15, in either form, or a mark of frame 28.
type acking struct {
	conn    *conn
	at      time.Time
	id      string // empty: a mark
	named   string
	code    string  // what it must be refused with; empty: it is judged by target, or thread and through
	target  *record // what it names
	copy    bool    // target is one of the acker's own messages, named by its msgid: only the window knows it so
	thread  *thread // or everything of a thread
	through uint64
	last    uint64 // the thread's last seq when it was sent
	reply   *frame
}

func (a *acking) String() string {
	if a.thread != nil {
		return fmt.Sprintf("%s by %s of %s up to %d", a.id, a.conn.client, a.thread.id, a.through)
	}
	return fmt.Sprintf("%s by %s of %q %v", a.id, a.conn.client, a.named, a.target)
}

func (w *world) ask(a *acking, params map[string]any) {
	a.id, a.at = w.nextID(), time.Now()
	a.conn.spoke = a.at
	w.asks = append(w.asks, a)
	w.logf("ack %s %s", a, a.code)
	a.conn.write(15, a.id, params)
}

// open lists what a client was shown and has not acknowledged, in the order of showing.
func (w *world) open(c *client) []*record {
	d := w.model.devices[c.String()]
	var found []*record
	for _, p := range c.shown {
		r := w.model.byID[p.conversation].at(p.seq)
		if d.in(r.thread).acked[r.seq] == 0 {
			found = append(found, r)
		}
	}
	return found
}

func (w *world) ackShown(k *conn, o op, count int) {
	open := w.open(k.client)
	n := o.b
	for range min(count, len(open)) {
		i := 0
		if o.c%3 == 0 {
			n = n*31 + 7
			i = int(n) % len(open)
		}
		w.ackOne(k, open[i], o.a+uint32(i))
		open = slices.Delete(open, i, i+1)
	}
}

// ackOne acknowledges one record, under one of the names it has.
func (w *world) ackOne(k *conn, r *record, how uint32) {
	a := &acking{conn: k, target: r, named: r.id()}
	params := map[string]any{"from": "client", "fromUser": r.sender, "toUser": k.client.user}
	switch {
	case r.recalls == nil && r.sender != k.client.user && r.msgid != "" && how%2 == 0:
		a.named = r.msgid
	case how%3 == 1 && r.sender == k.client.user && len(w.copies(r)) == 1 && !w.beingSent(r.sender, r.msgid):
		a.named, a.copy = r.msgid, true
	case how%3 == 0:
		delete(params, "fromUser")
		delete(params, "toUser")
	}
	params["msgid"] = a.named
	w.ask(a, params)
}

// copies lists the messages that have r's msgid, if it has one, and its sender, in whatever thread.
func (w *world) copies(r *record) (found []*record) {
	for _, t := range w.model.threadsOf(r.sender) {
		if c := t.sent(r.sender, r.msgid); c != nil {
			found = append(found, c)
		}
	}
	return found
}

// beingSent reports whether a message of that name is sent in this step: then it is open which one the name means.
func (w *world) beingSent(user, msgid string) bool {
	return slices.ContainsFunc(w.asks, func(a ask) bool {
		s, ok := a.(*sending)
		return ok && s.user == user && s.msgid == msgid
	})
}

// copyNamed reports whether a user acknowledges an own message under that name in this step.
func (w *world) copyNamed(user, msgid string) bool {
	return slices.ContainsFunc(w.asks, func(a ask) bool {
		ack, ok := a.(*acking)
		return ok && ack.copy && ack.conn.client.user == user && ack.named == msgid
	})
}

// ackAgain repeats an acknowledgement.
func (w *world) ackAgain(k *conn, o op) {
	d := w.model.devices[k.client.String()]
	var done []*record
	for _, t := range w.model.threadsOf(k.client.user) {
		for seq := range d.in(t).acked {
			done = append(done, t.at(seq))
		}
	}
	slices.SortFunc(done, func(a, b *record) int {
		if a.id() < b.id() {
			return -1
		}
		return 1
	})
	if len(done) > 0 {
		w.ackOne(k, done[int(o.b)%len(done)], o.a)
	}
}

func (w *world) ackUpTo(k *conn, o op) {
	threads := w.model.threadsOf(k.client.user)
	if len(threads) == 0 {
		return
	}
	t := threads[int(o.a)%len(threads)]
	seq := k.client.last[t.id]
	if o.b%3 == 0 && seq > 1 {
		seq = 1 + uint64(o.c)%seq
	}
	if seq == 0 {
		return
	}
	a := &acking{conn: k, thread: t, through: seq, last: t.last()}
	w.ask(a, map[string]any{"conversationId": t.id, "upTo": seq})
}

// forge acknowledges what was not sent to this device, or names it wrongly.
func (w *world) forge(k *conn, o op) {
	c := k.client
	a := &acking{conn: k, code: "not_addressed", named: "nothing"}
	params := map[string]any{"from": "client", "fromUser": fmt.Sprintf("u%d", o.b%users), "toUser": c.user}
	all := w.model.sortedThreads()
	if len(all) == 0 {
		return
	}
	t := all[int(o.a)%len(all)]
	r := t.at(1 + uint64(o.c)%t.last())
	switch o.b % 5 {
	case 0: // any record of anybody, by its id: judged as an honest one
		a.code, a.target, a.named = "", r, r.id()
		delete(params, "fromUser")
	case 1:
		a.code, a.named = "identity_mismatch", r.id()
		params["toUser"] = t.pair[0]
		if t.pair[0] == c.user {
			params["toUser"] = "somebody"
		}
	case 2: // past the head
		a.code, a.thread, a.through, a.last = "", t, t.last()+1+uint64(o.c%5), t.last()
		w.ask(a, map[string]any{"conversationId": t.id, "upTo": a.through})
		return
	case 3: // a record that there is not
		a.named = fmt.Sprintf("%s%016x", t.id, t.last()+1000)
	}
	params["msgid"] = a.named
	w.ask(a, params)
}

// syncing is frame 28.
type syncing struct {
	conn    *conn
	id      string
	marks   []*acking
	pending []*record
	strange []string // pending ids that are no message of the asker
	reply   *frame
}

func (w *world) sync(k *conn, o op) {
	c := k.client
	x := &syncing{conn: k, id: w.nextID()}
	marks := map[string]uint64{}
	for i, t := range w.model.sortedThreads() {
		seq := c.high[t.id]
		switch {
		case seq == 0 && int(o.a)%17 != i, int(o.b+uint32(i))%3 == 0:
			continue
		case int(o.c+uint32(i))%23 == 0:
			seq = t.last() + 2
		case seq == 0 && int(o.c+uint32(i))%2 == 0:
			seq = 1 // somebody else's, or claimed to be shown
		}
		if t.has(c.user) && seq <= t.last() {
			c.high[t.id] = max(c.high[t.id], seq)
		}
		if marks[t.id] = seq; seq > 0 {
			x.marks = append(x.marks, &acking{conn: k, at: time.Now(), thread: t, through: seq, last: t.last()})
		}
	}
	var pending []string
	for _, t := range w.model.sortedThreads() {
		for _, r := range t.records {
			switch {
			case r.sender == c.user && r.recalls == nil && (o.c+uint32(r.seq))%3 > 0:
				x.pending = append(x.pending, r)
				pending = append(pending, r.id())
			case (r.sender != c.user || r.recalls != nil) && (o.b+uint32(r.seq))%29 == 0:
				x.strange = append(x.strange, r.id())
				pending = append(pending, r.id())
			}
		}
	}
	params := map[string]any{"pending": pending, "conversations": marks}
	k.spoke = time.Now()
	w.asks = append(w.asks, x)
	w.logf("sync %s by %s marks %v pending %d", x.id, c, marks, len(pending))
	k.write(28, x.id, params)
}
