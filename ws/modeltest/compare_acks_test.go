package modeltest

import (
	"slices"

	"github.com/yanlink/yanlink/ws/protocol"
)

// claims are what a step's acknowledgements by one device come to in one thread: the seqs that have to be receipts
// now, and those that may be.
type claims struct {
	must, may map[uint64]bool
	reached   []uint64 // how far the session had come in the thread when it acknowledged
}

type lane struct {
	d *device
	t *thread
}

// compareAcks compares the answers to acknowledgements, and the receipts that the ledger holds after them.
func (w *world) compareAcks() {
	all := map[lane]*claims{}
	for _, a := range w.asks {
		switch a := a.(type) {
		case *acking:
			if w.answered(a.conn, a.reply, a) {
				w.compareAck(a)
			}
			w.claim(all, a, a.reply != nil && a.reply.kind() == 16)
		case *syncing:
			if w.answered(a.conn, a.reply, a.id) {
				w.compareSync(a)
			}
			for _, mark := range a.marks {
				w.claim(all, mark, a.reply != nil && a.reply.kind() == 29)
			}
		}
	}
	for at, c := range all {
		w.compareReceipts(at, c)
	}
}

func (w *world) device(k *conn) *device { return w.model.devices[k.client.String()] }

// compareAck compares the answer to a frame 15.
func (w *world) compareAck(a *acking) {
	code := a.reply.params().Code
	p := a.reply.params()
	switch want, open := w.ackCode(a); {
	case a.reply.kind() == 16 && (want == "" || open):
		if a.thread != nil && (p.ConversationID != a.thread.id || p.UpTo != a.through) || a.thread == nil && p.Message != a.named {
			w.wrong("16 does not fit %s: %s", a, a.reply.raw)
		}
	case a.reply.kind() == 500 && code == want:
	default:
		w.wrong("%s was answered by %s, not %q", a, a.reply.raw, want)
	}
}

// ackCode returns what an acknowledgement is refused with, "" if it counts; open: or it counts.
func (w *world) ackCode(a *acking) (code string, open bool) {
	d := w.device(a.conn)
	switch {
	case a.code != "":
		return a.code, false
	case a.copy:
		return string(protocol.NotAddressed), true
	case a.thread != nil && !a.thread.has(d.user):
		return string(protocol.NotAddressed), false
	case a.thread != nil && a.through > a.last:
		return string(protocol.BadField), a.through <= a.thread.last()
	case a.target != nil && !w.model.wants(d, a.target):
		return string(protocol.NotAddressed), false
	}
	return "", false
}

// claim adds what an acknowledgement comes to.
func (w *world) claim(all map[lane]*claims, a *acking, answered bool) {
	d := w.device(a.conn)
	t, from, through := a.thread, uint64(1), a.through
	if a.target != nil {
		t, from, through = a.target.thread, a.target.seq, a.target.seq
	}
	if t == nil || !t.has(d.user) || a.code != "" {
		return
	}
	c := w.claimsOf(all, d, t)
	if a.thread != nil && through > a.last && through > t.last() {
		return // past the head: it moves nothing
	}
	if answered && a.thread != nil {
		a.conn.client.high[t.id] = max(a.conn.client.high[t.id], through)
	}
	sure := answered && (a.thread == nil || through <= a.last)
	if sure && (a.thread != nil || a.conn.pushes[a.target] != nil) {
		c.reached = append(c.reached, through)
	}
	for seq := from; seq <= min(through, t.last()); seq++ {
		r := t.at(seq)
		if d.in(t).acked[seq] >= a.conn.openedIn && !a.conn.tried[r] {
			w.extra[r]++ // the session began before it could know
		}
		a.conn.tried[r] = true
		v := w.model.due(d, r)
		if a.target != nil && v != yes && r.seq <= d.in(t).startHigh {
			v = w.model.late(d, r)
			w.extra[r]++ // two at once may both be taken for the first
		}
		switch {
		case v == yes && sure:
			c.must[seq] = true
			a.conn.heard = a.at
			fallthrough
		case v != no:
			c.may[seq] = true
		}
	}
}

func (w *world) claimsOf(all map[lane]*claims, d *device, t *thread) *claims {
	c := all[lane{d, t}]
	if c == nil {
		c = &claims{must: map[uint64]bool{}, may: map[uint64]bool{}}
		all[lane{d, t}] = c
	}
	return c
}

// compareReceipts compares what the ledger holds for a device with what the model says, and tells the model.
func (w *world) compareReceipts(at lane, c *claims) {
	p := at.d.in(at.t)
	held := w.ledgerReceipts(at.d, at.t)
	for seq := uint64(1); seq <= at.t.last(); seq++ {
		r := at.t.at(seq)
		switch {
		case !held[seq] && p.acked[seq] != 0:
			w.wrong("the receipt of %s/%s for %v is gone", at.d.user, at.d.name, r)
		case !held[seq] && c.must[seq]:
			w.wrong("%s/%s acknowledged %v, and there is no receipt", at.d.user, at.d.name, r)
		case held[seq] && p.acked[seq] == 0 && !c.may[seq]:
			w.wrong("%s/%s has a receipt for %v and never acknowledged it", at.d.user, at.d.name, r)
		case held[seq] && p.acked[seq] == 0:
			p.acked[seq] = w.model.step
			w.oweProof(r, at.d)
			if w.ill {
				w.extra[r]++ // an ill ledger may show the receipt before it says that it holds
			}
		}
	}
	w.model.settleCursor(at.d, at.t, c.reached)
}

// oweProof notes that r's sender is owed a 17.
func (w *world) oweProof(r *record, d *device) {
	if r.recalls != nil || r.sender == d.user || w.crashed {
		return
	}
	for _, k := range w.conns {
		if k.client.user == r.sender && !k.abandoned && !k.leaving && !k.replaced && k.openedIn < w.model.step {
			k.owed[proof{r, d.user + "/" + d.name}] = true
		}
	}
}

// compareSync compares frame 29, and notes the 17s it promises.
func (w *world) compareSync(x *syncing) {
	p := x.reply.params()
	if x.reply.kind() != 29 {
		w.wrong("sync %s was answered by %s", x.id, x.reply.raw)
		return
	}
	if v := w.reset(x); p.Reset && v == no || !p.Reset && v == yes {
		w.wrong("sync %s: reset is %t: %s", x.id, p.Reset, x.reply.raw)
	}
	refused := map[string]string{}
	for _, e := range p.Errors {
		refused[e.ConversationID] = e.Code
	}
	for _, mark := range x.marks {
		want, open := w.ackCode(mark)
		if got := refused[mark.thread.id]; got != want && !(open && got == "") {
			w.wrong("sync %s: the mark %s was answered by %q, not %q", x.id, mark, got, want)
		}
	}
	waiting, gone := setOf(p.Waiting), setOf(p.Gone)
	for _, id := range x.strange {
		if !gone[id] {
			w.wrong("sync %s: %s is not the asker's and not gone", x.id, id)
		}
	}
	proofs := 0
	for _, r := range x.pending {
		before, after := w.provedBy(r)
		switch id := r.id(); {
		case waiting[id] && gone[id], before && (waiting[id] || gone[id]):
			w.wrong("sync %s: %v has a receipt and is in %s", x.id, r, x.reply.raw)
		case waiting[id] && r.recalledIn != 0 && r.recalledIn < w.model.step:
			w.wrong("sync %s: %v is recalled and still waiting", x.id, r)
		case gone[id] && r.recalledIn == 0:
			w.wrong("sync %s: %v is said to be gone", x.id, r)
		case !waiting[id] && !gone[id]:
			proofs++
			if !before && !after {
				w.wrong("sync %s: nothing is said of %v: %s", x.id, r, x.reply.raw)
			}
			x.conn.asked[proof{r, ""}]++
		}
	}
	if proofs != p.Proofs {
		w.wrong("sync %s: %d proofs announced, %d messages without an answer: %s", x.id, p.Proofs, proofs, x.reply.raw)
	}
}

// reset says whether a device that is new to the ledger is to learn so: its client names what this session was not sent.
func (w *world) reset(x *syncing) verdict {
	if !x.conn.fresh {
		return no
	}
	d, v, sure := w.device(x.conn), no, yes
	if w.markedBefore(x) {
		sure = maybe // what is lost is told once, and the one before may have told it
	}
	for _, mark := range x.marks {
		p := d.in(mark.thread)
		code, _ := w.ackCode(mark)
		switch {
		case code == "" && mark.through <= p.startLow:
			return sure
		case code != "" || mark.through <= p.startHigh:
			v = maybe
		}
		for _, r := range mark.thread.records[:min(mark.through, mark.thread.last())] {
			switch due := w.model.due(d, r); {
			case x.conn.pushes[r] != nil || r.born == w.model.step:
			case code == "" && due == yes:
				return sure
			default: // nothing was lost, but the server need not know that yet
				v = maybe
			}
		}
	}
	return v
}

// markedBefore reports whether another frame of this step and session than x claims that everything was shown up to some
// place.
func (w *world) markedBefore(x *syncing) bool {
	return slices.ContainsFunc(w.asks, func(a ask) bool {
		switch before := a.(type) {
		case *syncing:
			return before != x && before.conn == x.conn && len(before.marks) > 0
		case *acking:
			return before.conn == x.conn && before.thread != nil
		}
		return false
	})
}

func setOf(list []string) map[string]bool {
	set := map[string]bool{}
	for _, s := range list {
		set[s] = true
	}
	return set
}

// provedBy reports whether r had a receipt by somebody else before this step, and whether one may have come in it.
func (w *world) provedBy(r *record) (before, after bool) {
	for _, d := range w.model.devices {
		if d.user == r.sender || !r.thread.has(d.user) {
			continue
		}
		if in := d.in(r.thread).acked[r.seq]; in != 0 && in < w.model.step {
			before = true
		}
		after = after || w.ledgerReceipts(d, r.thread)[r.seq]
	}
	return before, after
}
