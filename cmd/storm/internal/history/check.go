package history

import (
	"cmp"
	"slices"
)

// Check replays a log and reports every broken promise. It changes nothing, and may be called again when the log has
// grown; Report.Pending then tells what was only too early to say.
func Check(events []Event) *Report {
	l := newLedger()
	for i := range events {
		l.replay(&events[i], i+1)
	}
	for _, m := range l.order {
		l.settled(m)
	}
	for _, r := range l.recalls {
		l.settledRecall(r)
	}
	l.inOrder()
	l.complete()
	l.report.Kills, l.report.Outages = l.faults.kills, l.faults.others
	return l.report
}

// settled checks what has to hold of a message in the end.
func (l *ledger) settled(m *message) {
	if m.cancelled > 0 {
		return
	}
	if m.accepted == 0 {
		l.missing(Unanswered, m, m.device, "%s of %s got no 0", m.id.msgid, m.device)
		return
	}
	for _, user := range []string{m.to, m.id.sender} {
		for _, d := range l.devices[user] {
			l.settledOn(m, d)
		}
	}
	if m.confirmed > 0 && !m.proved && m.recall == nil {
		l.missing(ProofMissing, m, m.device, "%s has no 17 for %s", m.device, m.id.msgid)
	}
}

func (l *ledger) settledOn(m *message, d Device) {
	due := l.since[d] < m.firstSent && (d != m.device || !m.socket)
	switch {
	case m.recall != nil: // neither shown nor asked for again, and a client may have forgotten to acknowledge it
	case due && !m.shown[d]:
		l.missing(Lost, m, d, "%s, accepted at %v, was not shown on %s", m.id.msgid, m.position, d)
	case m.shown[d] && m.acked[d] == 0:
		l.missing(Unanswered, m, d, "%s got no 16 for %s", d, m.id.msgid)
	}
}

// inOrder checks the order in which a conversation's positions were given.
func (l *ledger) inOrder() {
	conversations := map[string][]*message{}
	for _, m := range l.order {
		if m.position.Seq > 0 {
			c := m.position.Conversation
			conversations[c] = append(conversations[c], m)
		}
	}
	for _, messages := range conversations {
		slices.SortFunc(messages, func(a, b *message) int { return cmp.Compare(a.position.Seq, b.position.Seq) })
		l.afterAccepted(messages)
		l.asSent(messages)
	}
}

// afterAccepted: what was sent after another was accepted stands after it, whoever sent the two.
func (l *ledger) afterAccepted(messages []*message) {
	var latest *message
	for _, m := range messages {
		if latest != nil && m.accepted > 0 && m.accepted < latest.firstSent {
			l.violated(OutOfOrder, nil, m, "%s was accepted before %s was sent, and stands after it", m.id.msgid, latest.id.msgid)
		}
		if latest == nil || m.firstSent > latest.firstSent {
			latest = m
		}
	}
}

// asSent: what one device sends through its socket stands in the order of sending, unless something was refused and
// came in later. Where nothing could be stored meanwhile, the refusal may have been lost with its connection.
func (l *ledger) asSent(messages []*message) {
	last := map[Device]*message{}
	for _, m := range messages {
		if m.rest || m.refused || l.faults.ledgerDown(m.firstSent, m.accepted) {
			continue
		}
		if before := last[m.device]; before != nil && m.firstSent < before.firstSent {
			l.violated(OutOfOrder, nil, m, "%s was sent before %s, and stands after it", m.id.msgid, before.id.msgid)
			continue
		}
		last[m.device] = m
	}
}
