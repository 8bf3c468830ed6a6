package ws

import (
	"runtime/debug"

	"github.com/yanlink/yanlink/ws/protocol"
)

// dispatchQueue is how many committed batches may wait for the dispatcher before the committer waits for it.
const dispatchQueue = 2

// dispatcher does what follows from committed batches, in commit order, in one goroutine: answers, delivery to the
// sessions of this node, proofs. Frames of one batch for one session leave together: sessions are kicked at its end.
type dispatcher struct {
	g       *Gateway
	queue   chan []item
	shared  []byte
	kicks   []*writer // of sessions that get a record
	answers []*writer // of those that get an answer; these wait less eagerly
	news    news      // of this batch, for other nodes
}

func newDispatcher(g *Gateway) *dispatcher {
	return &dispatcher{g: g, queue: make(chan []item, dispatchQueue)}
}

// run works until the queue is closed.
func (d *dispatcher) run() {
	for batch := range d.queue {
		for _, it := range batch {
			d.one(it)
		}
		d.flush()
	}
	if c := d.g.cluster; c != nil {
		c.forwarder.close()
		c.signals.close() // every session is gone
	}
}

// flush lets what a batch caused leave: frames to the sockets, news to other nodes.
func (d *dispatcher) flush() {
	d.kicks = kick(d.kicks)
	d.answers = kick(d.answers)
	if !d.news.empty() {
		d.g.cluster.forwarder.take(d.news)
		d.news = news{}
	}
}

// kick kicks the writers and returns the emptied list.
func kick(writers []*writer) []*writer {
	for _, w := range writers {
		w.kick()
	}
	clear(writers)
	return writers[:0]
}

// one shields the dispatcher from a fault in what follows from one item, or doorbell.
func (d *dispatcher) one(e effect) {
	defer func() {
		if cause := recover(); cause != nil {
			d.g.log.Error("panic after a commit", "cause", cause, "stack", string(debug.Stack()))
		}
	}()
	e.committed(d)
}

// deliver offers a record that was committed here to the sessions of its members, wherever they are. to stands as the
// receiver in its envelope; when empty, each member is its own. One of the System conversation is offered to every
// session of this node; the others find it in the ledger.
func (d *dispatcher) deliver(rec *Record, members []string, to string) {
	if rec.Conversation == SystemConversation {
		d.offer(rec, d.g.hub.everybody(), to, PathLocal)
		return
	}
	d.offer(rec, members, to, PathLocal)
	if d.g.cluster != nil {
		d.news.records = append(d.news.records, &recordBell{
			rec: rec, members: members, to: to, senderName: d.g.names.known(rec.Sender),
		})
	}
}

// notify has the other nodes where user has sessions told of something.
func (d *dispatcher) notify(user string, bell entry) {
	if d.g.cluster != nil {
		d.news.notices = append(d.news.notices, notice{user, bell})
	}
}

// offer offers a record to the sessions of this node.
func (d *dispatcher) offer(rec *Record, members []string, to string, path Path) {
	encoded := false
	for _, member := range members {
		sessions := d.g.hub.sessions(member)
		if len(sessions) == 0 {
			continue
		}
		switch {
		case to == "":
			d.shared = d.g.shared(d.shared[:0], rec, member)
		case !encoded:
			d.shared = d.g.shared(d.shared[:0], rec, to)
			encoded = true
		}
		for _, s := range sessions {
			if s.offer(rec, d.shared, path) {
				d.kicks = append(d.kicks, s.writer)
			}
		}
	}
	if path == PathLocal || to == "" { // to look after all that groups are told again costs a question for each of them
		d.g.noteDispatched(rec)
	}
}

// send queues a frame for a session until the end of the batch.
func (d *dispatcher) send(s *Session, f *frame) {
	if s.writer.enqueue(f) {
		d.answers = append(d.answers, s.writer)
	}
}

// shared appends the part of a record's frame that all devices of the receiver to share.
func (g *Gateway) shared(dst []byte, rec *Record, to string) []byte {
	switch rec.Kind {
	case KindMessage:
		msgid := rec.MsgID
		if msgid == "" {
			msgid = rec.ID().String()
		}
		return protocol.AppendMessageShared(dst, protocol.Message{
			At: int64(rec.CreatedAt), MessageID: rec.ID(), MsgID: msgid,
			To: g.person(to), From: g.senderOf(rec), Body: rec.Body, FileType: rec.FileType,
		})
	case KindRecall:
		return protocol.AppendRecalledShared(dst, protocol.Recalled{
			At: int64(rec.CreatedAt), MessageID: rec.ID(), By: rec.Sender,
			Target: MessageID{Conversation: rec.Conversation, Seq: rec.Target},
		})
	default:
		event := protocol.Event{At: int64(rec.CreatedAt), MessageID: rec.ID(), Event: kindName(rec), User: rec.Subject, By: rec.Sender}
		if rec.Kind == KindRenamed || rec.Kind == KindCreated {
			event.Name = rec.Body
		}
		return protocol.AppendEventShared(dst, event)
	}
}

// person returns how a user stands in an envelope. Who is on another node is online as far as this one had to look for the user.
func (g *Gateway) person(openID string) protocol.User {
	online := len(g.hub.sessions(openID)) > 0 || g.cluster != nil && g.cluster.forwarder.known.anywhere(openID)
	return protocol.User{OpenID: openID, Name: g.names.of(openID), Online: online}
}

// senderOf is person for the sender of a record, who was online a moment ago if it came over a socket just now.
func (g *Gateway) senderOf(rec *Record) protocol.User {
	sender := g.person(rec.Sender)
	if g.cluster != nil && rec.SenderDevice != "" && g.now()-rec.CreatedAt < millis(foundFor) {
		sender.Online = true
	}
	return sender
}

// trigger returns what an envelope shows: 1 unless the configuration asks for the exact one (protocol.md, "trigger").
func (g *Gateway) trigger(t protocol.Trigger) protocol.Trigger {
	if g.opt.ExactTrigger {
		return t
	}
	return protocol.TriggerREST
}
