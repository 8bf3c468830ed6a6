package ws

import (
	"slices"
	"time"
)

const (
	// slowRound is how long the slow pass takes to look at every session of the node once.
	slowRound = time.Minute
	// lagBatch is how many sessions one question to the ledger is about.
	lagBatch = 500
)

// slowPass asks, for a part of the node's sessions at a time, whether anything is past a device's cursor that nobody
// is sending: so even a lost last message arrives.
type slowPass struct {
	g     *Gateway
	round round
}

// step looks at the next part; it is called once each ReconcileEvery.
func (p *slowPass) step() {
	for part := range slices.Chunk(p.round.next(p.g), lagBatch) {
		p.look(part)
	}
}

// round goes through the sessions of a node, a part with each step, in about slowRound.
type round struct {
	waiting []*Session
	portion int
}

// next returns the next part; it is called once each ReconcileEvery.
func (r *round) next(g *Gateway) []*Session {
	if len(r.waiting) == 0 {
		r.waiting = g.hub.all()
		steps := max(1, int(slowRound/g.opt.ReconcileEvery))
		r.portion = (len(r.waiting) + steps - 1) / steps
	}
	part := r.waiting[:min(r.portion, len(r.waiting))]
	r.waiting = r.waiting[len(part):]
	return part
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
