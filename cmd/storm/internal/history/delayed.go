package history

import "time"

// scheduled notes when a delayed message is to be sent at the latest.
func (l *ledger) scheduled(e *Event) {
	m := l.messages[messageID{e.Device.User, e.MsgID}]
	if m == nil || m.delay == 0 {
		l.violated(Invented, e, m, "%s was scheduled, and was not to be delayed", e.MsgID)
		return
	}
	if m.due == 0 {
		m.due = e.At + m.delay
		l.report.Delayed++
	}
}

func (l *ledger) cancelled(e *Event, at int) {
	m := l.messages[messageID{e.Device.User, e.MsgID}]
	switch {
	case m == nil || m.due == 0:
		l.violated(Invented, e, m, "%s was cancelled and did not wait", e.MsgID)
	case m.position.Seq > 0:
		l.violated(Invented, e, m, "%s was cancelled after it was sent", e.MsgID)
	default:
		m.cancelled = at
	}
}

// atItsTime: a delayed message is sent neither before its time nor long after it, and not at all once it was cancelled.
func (l *ledger) atItsTime(m *message, e *Event) {
	switch {
	case m.cancelled > 0:
		l.violated(Invented, e, m, "%s was shown on %s, and was cancelled", m.id.msgid, e.Device)
	case e.At < m.firstSentAt+m.delay:
		l.violated(Invented, e, m, "%s was shown on %s before its time", m.id.msgid, e.Device)
	case m.due > 0 && e.At > m.due+lateAfter && l.sessions[e.Device] < m.lastSent && !l.faults.ledgerDown(m.firstSent, l.now):
		l.violated(Late, e, m, "%s was shown on %s %v after its time", m.id.msgid, e.Device, (e.At - m.due).Round(time.Second))
	}
}
