package modeltest

import (
	"context"
	"slices"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// maxRounds is far more than any run needs to come to its end.
const maxRounds = 500

// finish brings every client back and lets it acknowledge everything, in order, until nothing is left; then everything
// that the server says of the past is compared with the model.
func (w *world) finish() {
	for round := 0; ; round++ {
		s := w.lastRound()
		if len(s.ops) == 0 {
			break
		}
		if round == maxRounds {
			w.wrong("it comes to no end: %s", s)
			return
		}
		w.model.step++
		w.take(s)
		if len(w.problems) > 0 {
			return
		}
	}
	w.logf("the end: everything was acknowledged")
	for _, c := range w.clients {
		if left := w.missing(c.conn, func(*record) bool { return true }); len(left) > 0 {
			w.wrong("%s was never sent %v", c, left)
		}
	}
	for _, t := range w.model.sortedThreads() {
		w.compareHistory(t)
		for _, r := range t.records {
			w.compareLife(r)
		}
	}
}

func (w *world) lastRound() (s step) {
	for i, c := range w.clients {
		switch {
		case c.conn == nil, c.conn.frozen, !c.conn.muteSince.IsZero():
			s.ops = append(s.ops, op{kind: "connect", who: i})
		case w.unfinished(c.conn):
			s.ops = append(s.ops, op{kind: "ackAll", who: i, c: 1})
		}
	}
	return s
}

// unfinished reports whether something that k was sent still has to be acknowledged.
func (w *world) unfinished(k *conn) bool {
	for r := range k.pushes {
		if w.model.due(w.device(k), r) != no {
			return true
		}
	}
	return false
}

// compareHistory compares a thread as REST shows it to one of its members.
func (w *world) compareHistory(t *thread) {
	id, _ := protocol.ParseConversationID(t.id)
	w.read(func(ctx context.Context) error {
		items, next, err := w.node.gateway.History(ctx, t.pair[0], id, 0, 0, maxRounds)
		if len(items) != len(t.records) || next != 0 {
			w.wrong("the history of %s has %d items, not %d", t.id, len(items), len(t.records))
			return err
		}
		slices.Reverse(items)
		for i, item := range items {
			r := t.records[i]
			kind, body := "message", r.body
			switch {
			case r.recalls != nil:
				kind = "recall"
			case r.recalledIn != 0:
				kind, body = "recalled", ""
			}
			rec := &item.Record
			if item.Kind != kind || rec.Seq != r.seq || rec.Body != body || rec.Sender != r.sender || rec.MsgID != r.msgid {
				w.wrong("the history of %s has %+v for %v", t.id, item, r)
			}
		}
		return err
	})
}

// compareLife compares what REST tells of a message.
func (w *world) compareLife(r *record) {
	if r.recalls != nil {
		return
	}
	id, _ := protocol.ParseMessageID(r.id())
	w.read(func(ctx context.Context) error {
		life, err := w.node.gateway.Message(ctx, r.sender, id)
		if err != nil {
			w.wrong("the life of %v: %v", r, err)
			return nil
		}
		want := map[string]bool{}
		for name, d := range w.model.devices {
			if d.user == r.thread.peer(r.sender) && d.in(r.thread).acked[r.seq] != 0 {
				want[name] = true
			}
		}
		state := "stored"
		switch {
		case r.recalledIn != 0:
			state = "recalled"
		case len(want) > 0:
			state = "delivered"
		}
		if life.State != state || len(life.Recipients) != 1 || !sameDevices(life.Recipients[0], want) {
			w.wrong("the life of %v is %+v, not %s by %v", r, life, state, want)
		}
		return nil
	})
}

func sameDevices(life ws.RecipientLife, want map[string]bool) bool {
	for _, d := range life.Devices {
		if !want[life.OpenID+"/"+d.Device] {
			return false
		}
	}
	return len(life.Devices) == len(want)
}
