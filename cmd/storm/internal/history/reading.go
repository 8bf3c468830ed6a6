package history

import "slices"

// reading is a conversation's history as one user read it to the end.
type reading struct {
	last  uint64
	kinds map[uint64]string // by seq
}

type readingID struct{ user, conversation string }

// read takes one position of a history and compares it with what was sent and shown.
func (l *ledger) read(e *Event) {
	l.report.Positions++
	id := readingID{e.Device.User, e.Position.Conversation}
	r := l.readings[id]
	if r == nil {
		r = &reading{kinds: map[uint64]string{}}
		l.readings[id] = r
	}
	if e.Position.Seq <= r.last {
		l.violated(HistoryDiffers, e, nil, "the history of %s has %d after %d", e.Position.Conversation, e.Position.Seq, r.last)
	}
	r.last = e.Position.Seq
	r.kinds[e.Position.Seq] = e.Note
	m := l.byPosition[e.Position]
	switch {
	case m == nil && e.Note != historyRecall: // a recall may have been told to nobody
		l.violated(HistoryDiffers, e, nil, "the history has a %s at %v, which nobody sent", e.Note, e.Position)
	case m != nil && e.Note != m.kind():
		l.violated(HistoryDiffers, e, m, "the history has a %s at %v and not a %s", e.Note, e.Position, m.kind())
	case e.Note == historyMessage && (e.From != m.id.sender || e.MsgID != m.id.msgid || e.Body != m.body):
		l.violated(HistoryDiffers, e, m, "the history has something else at %v than was sent", e.Position)
	case e.Note != historyMessage && e.Body != "":
		l.violated(HistoryDiffers, e, m, "the history has a text at %v, where a %s stands", e.Position, e.Note)
	}
}

// The kinds of positions in a history, as the server names them.
const (
	historyMessage  = "message"
	historyRecalled = "recalled"
	historyRecall   = "recall"
)

// kind says as what a record stands in a history when all is quiet.
func (m *message) kind() string {
	switch {
	case m.recalls != nil:
		return historyRecall
	case m.recall != nil && m.recall.accepted > 0:
		return historyRecalled
	default:
		return historyMessage
	}
}

// complete: whatever stands somewhere is in the history of both who take part, if they read theirs. A conversation that the
// server did not list lacks everything.
func (l *ledger) complete() {
	for _, m := range slices.Concat(l.order, l.recalls) {
		at := m.position
		for _, user := range []string{m.id.sender, m.to} {
			if !l.readers[user] || at.Seq == 0 {
				continue
			}
			if r := l.readings[readingID{user, at.Conversation}]; r == nil || r.kinds[at.Seq] == "" {
				l.violated(HistoryDiffers, nil, m, "%s stands at %v, and not in the history that %s read", m.id.msgid, at, user)
			}
		}
	}
}
