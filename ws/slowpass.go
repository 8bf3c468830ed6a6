package ws

import "time"

const (
	// slowRound is how long the slow pass takes to look at every session of the node once.
	slowRound = time.Minute
	// lagBatch is how many sessions one question to the ledger is about.
	lagBatch = 500
)

// slowPass asks, for a part of the node's sessions at a time, whether anything is past a device's cursor that nobody
// is sending: so even a lost last message arrives.
type slowPass struct {
	g       *Gateway
	waiting []*Session // of this round
	portion int
}

// step looks at the next part; it is called once each ReconcileEvery.
func (p *slowPass) step() {
	if len(p.waiting) == 0 {
		p.waiting = p.g.hub.all()
		steps := max(1, int(slowRound/p.g.opt.ReconcileEvery))
		p.portion = (len(p.waiting) + steps - 1) / steps
	}
	part := p.waiting[:min(p.portion, len(p.waiting))]
	p.waiting = p.waiting[len(part):]
	for len(part) > 0 {
		n := min(len(part), lagBatch)
		p.look(part[:n])
		part = part[n:]
	}
}

func (p *slowPass) look(sessions []*Session) {
	devices := make([]DeviceRef, len(sessions))
	for i, s := range sessions {
		devices[i] = s.ref()
	}
	ctx, cancel := p.g.readContext()
	defer cancel()
	lagging, err := p.g.store.Lagging(ctx, devices)
	if err != nil {
		if p.g.serving.Err() == nil {
			p.g.log.Warn("sessions were not looked at; the next round does it", "sessions", len(sessions), "error", err)
		}
		return
	}
	lags := make(map[DeviceRef]bool, len(lagging))
	for _, device := range lagging {
		lags[device] = true
	}
	for i, s := range sessions {
		if lags[devices[i]] {
			s.auditSoon()
		}
	}
}
