package modeltest

import (
	"context"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// ask is a request whose answer a step waits for.
type ask interface {
	// answer takes the reply with the request's id.
	answer(f *frame)
	key() (*conn, string)
}

func (s *sending) answer(f *frame)        { s.reply = f }
func (s *sending) key() (*conn, string)   { return s.conn, s.id }
func (x *recalling) answer(f *frame)      { x.reply = f }
func (x *recalling) key() (*conn, string) { return x.conn, x.id }
func (a *acking) answer(f *frame)         { a.reply = f }
func (a *acking) key() (*conn, string)    { return a.conn, a.id }
func (x *syncing) answer(f *frame)        { x.reply = f }
func (x *syncing) key() (*conn, string)   { return x.conn, x.id }

// compare looks at everything that the step has brought, and tells the model of it.
func (w *world) compare() {
	frames := w.collect()
	w.learnUsers()
	w.compareSends()
	w.compareRecalls()
	w.compareAcks()
	w.compareDevices()
	for _, k := range w.conns {
		for _, f := range frames[k] {
			w.compareFrame(k, f)
		}
	}
	for _, k := range w.conns {
		w.compareProofs(k)
		w.comparePushes(k)
		w.compareEnd(k)
	}
	w.forgetEnded()
}

// collect reads what came, hands the answers to those who asked, and returns the rest.
func (w *world) collect() map[*conn][]*frame {
	asks := map[*conn]map[string]ask{}
	for _, a := range w.asks {
		k, id := a.key()
		if asks[k] == nil {
			asks[k] = map[string]ask{}
		}
		asks[k][id] = a
	}
	rest := map[*conn][]*frame{}
	for _, k := range w.conns {
		frames, _ := k.take()
		for _, f := range frames {
			switch a := asks[k][f.ID]; {
			case f.broken != nil:
				w.wrong("%s got what is no frame: %v: %s", k.client, f.broken, f.raw)
			case f.kind() == 33 && k.hello == nil:
				k.hello = f
			case f.ID != "" && a != nil:
				w.countAnswer(f)
				a.answer(f)
				delete(asks[k], f.ID)
			case f.ID != "":
				if !k.wasFrozen { // then it may be late
					w.wrong("%s got an answer nobody asked for: %s", k.client, f.raw)
				}
			default:
				rest[k] = append(rest[k], f)
			}
		}
	}
	return rest
}

// answered reports whether a request has its answer. One without may be lost only with its connection.
func (w *world) answered(k *conn, f *frame, what any) bool {
	if f == nil && k.healthy() && !k.replaced && !k.over() && !w.crashed {
		w.wrong("no answer to %v", what)
	}
	return f != nil
}

func (k *conn) over() bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ended
}

// learnUsers notes who became known by connecting.
func (w *world) learnUsers() {
	for _, o := range w.created {
		d := w.model.devices[o.client.String()]
		user := o.client.user
		if w.model.known[user] != 0 {
			continue
		}
		if o.conn != nil || w.ledgerHas(d) {
			w.model.known[user] = w.model.step
		}
	}
}

func (w *world) ledgerHas(d *device) (found bool) {
	w.read(func(ctx context.Context) error {
		devices, err := w.ledger.Devices(ctx, d.user)
		for _, x := range devices {
			found = found || x.Name == d.name
		}
		return err
	})
	return found
}

// compareSends finds out what became of the messages of this step: from the answers, and for what got none from the
// ledger, which has to hold exactly what was accepted and at most what was not answered.
func (w *world) compareSends() {
	touched := map[[2]string]bool{}
	for _, a := range w.asks {
		switch a := a.(type) {
		case *sending:
			w.readAnswer(a)
			touched[pairOf(a.user, a.to)] = true
		case *recalling:
			if a.target != nil {
				touched[a.target.thread.pair] = true
			}
		}
	}
	for pair := range touched {
		w.readThread(pair)
	}
	for _, a := range w.asks {
		if s, ok := a.(*sending); ok {
			w.compareSend(s)
		}
	}
	w.compareOrder()
}

// readAnswer brings the answers of both doors into one form.
func (w *world) readAnswer(s *sending) {
	if s.conn == nil {
		result := <-s.result
		if len(result.Results) == 0 {
			return
		}
		r := result.Results[0]
		s.answered = true
		if r.Err != nil {
			s.code = string(r.Err.Code)
			return
		}
		s.accepted, s.duplicate, s.messageID = true, r.Duplicate, r.MessageID.String()
		return
	}
	if !w.answered(s.conn, s.reply, s) {
		return
	}
	s.answered = true
	p := s.reply.params()
	switch s.reply.kind() {
	case 500:
		s.code = p.Code
	case 0:
		s.accepted, s.duplicate, s.messageID = true, p.Duplicate, p.MessageID
		if p.Message != s.body || p.MsgID != s.msgid || p.MessageID != fmt.Sprintf("%s%016x", p.ConversationID, p.Seq) {
			w.wrong("0 does not fit %s: %s", s, s.reply.raw)
		}
	default:
		w.wrong("%s was answered by %s", s, s.reply.raw)
	}
}

// readThread takes what the ledger holds beyond the model into the model, if somebody has sent it.
func (w *world) readThread(pair [2]string) {
	t := w.model.threads[pair]
	w.read(func(ctx context.Context) error {
		c, err := w.ledger.FindConversation(ctx, ws.Direct, ws.DirectKey(pair[0], pair[1]))
		if err != nil {
			return err
		}
		if t == nil {
			t = &thread{pair: pair, id: c.ID.String()}
			w.model.threads[pair], w.model.byID[t.id] = t, t
		}
		records, err := w.ledger.Page(ctx, c.ID, t.last()+1, 0, 1<<20, 1<<30)
		for _, rec := range records {
			w.takeIn(t, rec)
		}
		return err
	})
}

func (w *world) takeIn(t *thread, rec *ws.Record) {
	r := &record{
		thread: t, seq: t.last() + 1, born: w.model.step, sender: rec.Sender, device: rec.SenderDevice, msgid: rec.MsgID,
		body: rec.Body, at: time.UnixMilli(int64(rec.CreatedAt)),
	}
	if rec.Seq != r.seq {
		w.wrong("thread %s: seq %d follows %d", t.id, rec.Seq, t.last())
	}
	switch rec.Kind {
	case ws.KindRecall:
		r.recalls = t.at(rec.Target)
		if !w.wasRecalled(r) {
			w.wrong("nobody recalled %v", r)
			return
		}
		r.recalls.recalledIn = w.model.step
	case ws.KindMessage:
		s := w.sender(r, rec.RecalledAt != 0)
		if s == nil {
			w.wrong("nobody sent %v", r)
			return
		}
		r.body, s.record = s.body, r
		if old := t.sent(r.sender, r.msgid); old != nil {
			w.wrong("%v takes effect twice: %v", old, r)
		}
		w.makeKnown(t)
	default:
		w.wrong("a record of kind %d", rec.Kind)
	}
	t.records = append(t.records, r)
	w.logf("stored %v", r)
}

func (w *world) makeKnown(t *thread) {
	for _, user := range t.pair {
		if w.model.known[user] == 0 {
			w.model.known[user] = w.model.step
		}
	}
}

func (w *world) wasRecalled(r *record) bool {
	for _, a := range w.asks {
		if x, ok := a.(*recalling); ok && x.target == r.recalls && r.recalls != nil && r.recalls.recalledIn == 0 &&
			x.conn.client.user == r.sender && x.conn.client.device == r.device {
			return true
		}
	}
	return false
}

// unsure reports whether a refusal says only that nobody knows whether the message was stored.
func (s *sending) unsure() bool { return s.code == string(protocol.StorageUnavailable) }

// sender finds who sent r in this step: whoever was told so, or else somebody who was told nothing. blank: it was
// recalled at once.
func (w *world) sender(r *record, blank bool) (found *sending) {
	for _, a := range w.asks {
		s, ok := a.(*sending)
		if !ok || s.record != nil || s.user != r.sender || s.device != r.device || s.msgid != r.msgid ||
			s.body != r.body && !blank || pairOf(s.user, s.to) != r.thread.pair {
			continue
		}
		switch {
		case s.accepted && !s.duplicate && s.messageID == r.id():
			return s
		case found == nil && (!s.answered || s.unsure()):
			found = s
		}
	}
	return found
}

// compareSend compares an answer with what the model, which knows the whole step by now, says.
func (w *world) compareSend(s *sending) {
	t := w.model.threads[pairOf(s.user, s.to)]
	var old *record
	if t != nil {
		old = t.sent(s.user, s.msgid)
	}
	switch {
	case !s.answered:
	case s.accepted && !s.duplicate:
		if s.record == nil {
			w.wrong("%s got a 0 and is not in the ledger", s)
		} else if s.record.id() != s.messageID {
			w.wrong("%s got the id %s and stands at %s", s, s.messageID, s.record.id())
		}
	case s.accepted:
		if old == nil || old.id() != s.messageID || old.body != s.body {
			w.wrong("%s was called a repeat of %s, which is %v", s, s.messageID, old)
		} else if s.conn != nil {
			s.conn.asked[proof{old, ""}]++ // it may have missed the 17
		}
	case s.code == string(protocol.Conflict):
		if old == nil || old.body == s.body {
			w.wrong("%s was called a conflict with %v", s, old)
		}
	case s.code == string(protocol.UnknownUser):
		if since := w.model.known[s.to]; since != 0 && since < w.model.step || s.to == s.user {
			w.wrong("%s was refused although the recipient is known", s)
		}
	case w.ill && s.unsure(), w.crashed && (s.unsure() || s.code == string(protocol.Draining)):
	default:
		w.wrong("%s was refused with %s", s, s.code)
	}
	if s.accepted && s.to == "nobody" {
		w.wrong("%s went to nobody", s)
	}
}

// compareOrder makes sure that what one connection sent to one thread stands in the order of sending.
func (w *world) compareOrder() {
	type lane struct {
		k *conn
		t *thread
	}
	last := map[lane]*record{}
	for _, a := range w.asks {
		s, ok := a.(*sending)
		if !ok || s.record == nil || s.conn == nil {
			continue
		}
		at := lane{s.conn, s.record.thread}
		if before := last[at]; before != nil && before.seq > s.record.seq {
			w.wrong("%v was sent before %v", before, s.record)
		}
		last[at] = s.record
	}
}

// compareRecalls compares the answers to recalls.
func (w *world) compareRecalls() {
	for _, a := range w.asks {
		x, ok := a.(*recalling)
		if !ok || !w.answered(x.conn, x.reply, x.id) {
			continue
		}
		code := x.reply.params().Code
		r, user := x.target, x.conn.client.user
		switch {
		case x.reply.kind() == 30:
			if r == nil || r.sender != user || r.recalledIn == 0 || x.reply.params().MessageID != x.named {
				w.wrong("%s of %v by %s was granted", x.id, r, user)
			}
		case w.ill && code == string(protocol.StorageUnavailable):
		case code == string(protocol.NotFound) && (r == nil || !r.thread.has(user) || r.recalls != nil):
		case code == string(protocol.Forbidden) && r != nil && r.sender != user && r.thread.has(user):
		case code == string(protocol.Conflict) && r != nil && r.recalledIn == 0 && x.age > recallFor-time.Second:
		default:
			w.wrong("%s of %v by %s, aged %s, was answered by %s", x.id, r, user, x.age, x.reply.raw)
		}
		if r != nil && x.reply.kind() == 30 && r.recalledIn == w.model.step && x.age > recallFor+time.Second {
			w.wrong("%s of %v came too late and was granted", x.id, r)
		}
	}
}

// ledgerReceipts returns which seqs of a thread the ledger has acknowledged by d.
func (w *world) ledgerReceipts(d *device, t *thread) map[uint64]bool {
	found := map[uint64]bool{}
	id, err := protocol.ParseConversationID(t.id)
	if err != nil {
		w.wrong("conversation id %q: %v", t.id, err)
		return found
	}
	w.read(func(ctx context.Context) error {
		receipts, err := w.ledger.ReceiptsAfter(ctx, ws.DeviceRef{User: d.user, Device: d.name}, id, 0)
		for _, r := range receipts {
			for seq := r.From; seq <= r.To; seq++ {
				found[seq] = true
			}
		}
		return err
	})
	return found
}
