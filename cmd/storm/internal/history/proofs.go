package history

import "slices"

func (l *ledger) ackSent(e *Event) {
	p := l.place(e.Device, e.Position.Conversation)
	if e.Through {
		p.through = max(p.through, e.Position.Seq)
		return
	}
	p.ackSent[e.Position.Seq] = true
}

// asked reports whether the device has asked for an acknowledgement of seq to be recorded.
func (p *place) asked(seq uint64) bool { return seq <= p.through || p.ackSent[seq] }

func (l *ledger) acked(e *Event, at int) {
	p := l.place(e.Device, e.Position.Conversation)
	if !e.Through {
		m := l.byPosition[e.Position]
		if m == nil || !p.ackSent[e.Position.Seq] {
			l.violated(Invented, e, m, "a 16 for %v, which %s did not acknowledge", e.Position, e.Device)
			return
		}
		m.confirm(e.Device, at)
		return
	}
	if e.Position.Seq > p.through {
		l.violated(Invented, e, nil, "a 16 up to %v, which %s did not acknowledge", e.Position, e.Device)
		return
	}
	for p.confirmed < len(p.shown) && p.shown[p.confirmed].position.Seq <= e.Position.Seq {
		p.shown[p.confirmed].confirm(e.Device, at)
		p.confirmed++
	}
}

func (m *message) confirm(d Device, at int) {
	if m.acked[d] == 0 {
		m.acked[d] = at
	}
	if d.User == m.to && m.confirmed == 0 {
		m.confirmed = at
	}
}

func (l *ledger) proved(e *Event) {
	m := l.byPosition[e.Position]
	switch {
	case m == nil:
		l.violated(Invented, e, nil, "a 17 for %v, which nobody was shown", e.Position)
		return
	case m.recalls != nil:
		l.violated(Invented, e, m, "a 17 for %v, which is a recall", e.Position)
		return
	case m.id.sender != e.Device.User:
		l.violated(Invented, e, m, "a 17 for %s came to %s, who did not send it", m.id.msgid, e.Device)
		return
	case e.By.User != m.to || !l.place(e.By, e.Position.Conversation).asked(e.Position.Seq):
		l.violated(Invented, e, m, "a 17 for %s names %s, which did not acknowledge it", m.id.msgid, e.By)
		return
	}
	if e.Device == m.device {
		m.proved = true
	}
}

// waiting is wrong if the acknowledgement was confirmed before the question went out.
func (l *ledger) waiting(e *Event) {
	if m := l.byPosition[e.Position]; m != nil && m.recall == nil && m.confirmed > 0 && m.confirmed <= e.Asked {
		l.denied(m, e, "a sync says that %s waits, after a 16 for it", m.id.msgid)
	}
}

// gone is right of what was recalled.
func (l *ledger) gone(e *Event) {
	if m := l.byPosition[e.Position]; m == nil || m.recall == nil {
		l.violated(Lost, e, m, "a sync says that %v is gone", e.Position)
	}
}

// life is wrong if it lacks an acknowledgement that was confirmed before the question went out.
func (l *ledger) life(e *Event) {
	m := l.byPosition[e.Position]
	if m == nil {
		return
	}
	if m.recall != nil {
		if at := m.recall.accepted; at > 0 && at <= e.Asked && e.Note != historyRecalled {
			l.violated(ShownRecalled, e, m, "REST says %q of %s, after its recall", e.Note, m.id.msgid)
		}
		return
	}
	if m.confirmed > 0 && m.confirmed <= e.Asked && e.Note != "delivered" {
		l.denied(m, e, "REST says %q of %s, after a 16 for it", e.Note, m.id.msgid)
	}
	for d, at := range m.acked {
		if d.User == m.to && at <= e.Asked && !slices.Contains(e.Devices, d) {
			l.denied(m, e, "REST does not know that %s acknowledged %s", d, m.id.msgid)
		}
	}
}

// denied is a violation once for a message, however often somebody asks.
func (l *ledger) denied(m *message, e *Event, format string, args ...any) {
	if !m.denied {
		m.denied = true
		l.violated(ProofMissing, e, m, format, args...)
	}
}
