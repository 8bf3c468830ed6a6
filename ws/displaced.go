package ws

import (
	"slices"

	"github.com/yanlink/yanlink/ws/protocol"
)

// displacedPass looks, for a part of the node's sessions at a time, whether their devices have newer sessions on other nodes: who
// was told so, and did not hear it, gives way all the same.
type displacedPass struct {
	g     *Gateway
	round round
}

// step looks at the next part; it is called once each ReconcileEvery.
func (p *displacedPass) step() {
	if p.g.cluster == nil {
		return
	}
	for part := range slices.Chunk(p.round.next(p.g), routesAtOnce) {
		p.look(part)
	}
}

func (p *displacedPass) look(sessions []*Session) {
	elsewhere, _ := p.g.elsewhere(usersOn(sessions))
	for _, s := range sessions {
		if slices.ContainsFunc(elsewhere[s.user], func(r Route) bool { return r.Device == s.device && r.Epoch > s.epoch }) {
			s.close(protocol.CloseReplaced, replacedReason)
		}
	}
}
