package history

// A recall is a record like a message: it has a position, is shown, acknowledged and comes in order.

func (l *ledger) recallSent(e *Event, at int) {
	m := l.byPosition[e.Position]
	if m == nil {
		l.violated(Invented, e, nil, "a recall of %v, where nothing stands", e.Position)
		return
	}
	if m.recall == nil {
		m.recall = &message{
			id: messageID{m.id.sender, "recall of " + m.id.msgid}, device: e.Device, to: m.to, firstSent: at,
			shown: map[Device]bool{}, acked: map[Device]int{}, recalls: m,
		}
		l.recalls = append(l.recalls, m.recall)
	}
	m.recall.socket = m.recall.socket || e.Door == Socket
	m.recall.rest = m.recall.rest || e.Door == REST
}

func (l *ledger) recalled(e *Event, at int) {
	m := l.byPosition[e.Position]
	if m == nil || m.recall == nil {
		l.violated(Invented, e, m, "an answer to a recall of %v, which %s did not recall", e.Position, e.Device)
		return
	}
	if m.recall.accepted == 0 {
		m.recall.accepted, m.recall.since = at, e.At
		l.report.Recalls++
	}
}

func (l *ledger) recallRefused(e *Event) {
	if e.Final {
		l.violated(Invented, e, l.byPosition[e.Position], "the recall of %v was refused for good: %s", e.Position, e.Note)
	}
}

// recallShown takes a 31.
func (l *ledger) recallShown(e *Event) {
	m := l.byPosition[e.Target]
	if m == nil || m.recall == nil {
		l.violated(Invented, e, m, "%s was told of a recall of %v, which nobody recalled", e.Device, e.Target)
		return
	}
	r := m.recall
	switch {
	case e.Device.User != m.id.sender && e.Device.User != m.to:
		l.violated(Invented, e, m, "the recall of %s was told to a stranger", m.id.msgid)
	case e.Device == r.device && !r.rest:
		l.violated(Invented, e, m, "the recall of %s was told to the device that recalled it", m.id.msgid)
	}
	l.stands(r, e)
	if e.Kind == Shown {
		l.firstShown(r, e)
	}
}

// inForce: what was recalled comes to no session that began after the answer, and to no device that was told.
func (l *ledger) inForce(m *message, e *Event) {
	r := m.recall
	switch {
	case r == nil:
	case r.shown[e.Device]:
		l.violated(ShownRecalled, e, m, "%s came to %s after its recall", m.id.msgid, e.Device)
	case r.accepted > 0 && l.began[e.Device] >= r.accepted:
		l.violated(ShownRecalled, e, m, "%s came to %s in a session that began after its recall was answered", m.id.msgid, e.Device)
	}
}

// settledRecall checks what has to hold of a recall in the end.
func (l *ledger) settledRecall(r *message) {
	if r.accepted == 0 {
		l.missing(Unanswered, r.recalls, r.device, "the recall of %s got no answer", r.recalls.id.msgid)
		return
	}
	for _, user := range []string{r.to, r.id.sender} {
		for _, d := range l.devices[user] {
			due := l.v1[d] && l.since[d] < r.firstSent && (d != r.device || !r.socket)
			switch {
			case due && !r.shown[d]:
				l.missing(Lost, r.recalls, d, "the recall of %s was not told to %s", r.recalls.id.msgid, d)
			case r.shown[d] && r.acked[d] == 0:
				l.missing(Unanswered, r.recalls, d, "%s got no 16 for the recall of %s", d, r.recalls.id.msgid)
			}
		}
	}
}
