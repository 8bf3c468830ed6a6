package history

import "time"

// replay takes down one event; at is its place in the log, from 1.
func (l *ledger) replay(e *Event, at int) {
	l.now = at
	switch e.Kind {
	case Connected:
		l.connected(e, at)
	case Disconnected:
		l.disconnected(e, at)
	case GaveUp:
		l.gaveUp[e.Device] = true
	case Sent:
		l.sent(e, at)
	case Accepted:
		l.accepted(e, at)
	case Refused:
		l.refused(e)
	case Shown, Repeated:
		l.shown(e)
	case AckSent:
		l.ackSent(e)
	case Acked:
		l.acked(e, at)
	case Proved:
		l.proved(e)
	case Waiting:
		l.waiting(e)
	case Gone:
		l.gone(e)
	case MarkRefused:
		l.violated(Lost, e, l.byPosition[e.Position], "the mark of what was shown at %v was refused: %s", e.Position, e.Note)
	case Life:
		l.life(e)
	case Scheduled:
		l.scheduled(e)
	case Cancelled:
		l.cancelled(e, at)
	case RecallSent:
		l.recallSent(e, at)
	case Recalled:
		l.recalled(e, at)
	case RecallRefused:
		l.recallRefused(e)
	case Read:
		l.read(e)
	case ReadAll:
		l.readers[e.Device.User] = true
	case Unexpected:
		l.violated(Invented, e, nil, "%s", e.Note)
	case Struck, Down, Mending, Mended:
		l.faults.note(e, at)
	}
}

func (l *ledger) connected(e *Event, at int) {
	l.sessions[e.Device], l.began[e.Device], l.v1[e.Device] = at, e.Asked, e.V1
	if l.since[e.Device] == 0 {
		l.since[e.Device] = at
		l.devices[e.Device.User] = append(l.devices[e.Device.User], e.Device)
	} else if e.New {
		l.violated(Lost, e, nil, "the server forgot the device %s", e.Device)
	}
}

func (l *ledger) sent(e *Event, at int) {
	id := messageID{e.Device.User, e.MsgID}
	m := l.messages[id]
	if m == nil {
		m = &message{
			id: id, device: e.Device, to: e.To, body: e.Body, firstSent: at, firstSentAt: e.At, delay: e.Delay,
			shown: map[Device]bool{}, acked: map[Device]int{},
		}
		l.messages[id] = m
		l.order = append(l.order, m)
	}
	m.lastSent = at
	m.socket = m.socket || e.Door == Socket
	m.rest = m.rest || e.Door == REST
}

func (l *ledger) accepted(e *Event, at int) {
	m := l.messages[messageID{e.Device.User, e.MsgID}]
	if m == nil {
		l.violated(Invented, e, nil, "%s was accepted and never sent", e.MsgID)
		return
	}
	l.stands(m, e)
	l.acceptedWithoutLedger(m, e)
	if !e.Duplicate && m.original {
		l.violated(ShownTwice, e, m, "%s was accepted twice as new", e.MsgID)
	}
	m.original = m.original || !e.Duplicate
	if m.accepted == 0 {
		m.accepted, m.since = at, e.At
		l.report.Messages++
	}
}

func (l *ledger) refused(e *Event) {
	m := l.messages[messageID{e.Device.User, e.MsgID}]
	if m == nil {
		l.violated(Invented, e, nil, "%s was refused and never sent", e.MsgID)
		return
	}
	m.refused = true
	l.refusedWithoutLedger(m, e)
	if e.Final {
		l.violated(Invented, e, m, "%s was refused for good: %s", e.MsgID, e.Note)
	}
}

func (l *ledger) shown(e *Event) {
	if e.Target.Seq > 0 {
		l.recallShown(e)
		return
	}
	m := l.messages[messageID{e.From, e.MsgID}]
	switch {
	case m == nil:
		l.violated(Invented, e, nil, "%s of %s was shown and never sent", e.MsgID, e.From)
		return
	case m.body != e.Body:
		l.violated(Invented, e, m, "%s was shown with another text than was sent", e.MsgID)
	case e.Device.User != m.id.sender && e.Device.User != m.to:
		l.violated(Invented, e, m, "%s was shown to a stranger", e.MsgID)
	case e.Device == m.device && !m.rest:
		l.violated(Invented, e, m, "%s was shown to the device that sent it", e.MsgID)
	}
	l.stands(m, e)
	l.inForce(m, e)
	if m.delay > 0 && e.Kind == Shown {
		l.atItsTime(m, e)
	}
	if e.Kind == Shown {
		l.firstShown(m, e)
	}
}

func (l *ledger) firstShown(m *message, e *Event) {
	p := l.place(e.Device, e.Position.Conversation)
	switch {
	case m.shown[e.Device]:
		l.violated(ShownTwice, e, m, "%s was shown twice on %s", m.id.msgid, e.Device)
	case e.Position.Seq <= p.last:
		l.violated(OutOfOrder, e, m, "%d was shown on %s after %d", e.Position.Seq, e.Device, p.last)
	case e.PrevSeq > p.last && p.last > 0:
		l.violated(OutOfOrder, e, m, "%d follows %d, but %s was last shown %d", e.Position.Seq, e.PrevSeq, e.Device, p.last)
	}
	l.inTime(m, e)
	m.shown[e.Device] = true
	p.last = max(p.last, e.Position.Seq)
	p.shown = append(p.shown, m)
}

// lateAfter is twenty times what a doorbell that is lost costs.
const lateAfter = 20 * time.Second

// inTime: whatever else is gone, what is committed reaches a session that stands. Only its own node and the ledger are
// needed for it.
func (l *ledger) inTime(m *message, e *Event) {
	if m.accepted == 0 || l.sessions[e.Device] > m.accepted || l.faults.ledgerDown(m.accepted, l.now) {
		return
	}
	if took := e.At - m.since; took > lateAfter {
		l.violated(Late, e, m, "%s was shown on %s %v after it was accepted", m.id.msgid, e.Device, took.Round(time.Second))
	}
}
