package scenario

import (
	"context"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

// Site is servers that stand together, and what they use.
type Site struct {
	Nodes    []Target
	Services []int                                // processes that are part of the scene: what the servers use, or a bad neighbour
	Calls    func(context.Context) (Calls, error) // so far; nil: they are not counted
}

// Calls are what servers ask of their services.
type Calls struct {
	Statements float64 `json:"sql_statements"`
	Trips      float64 `json:"redis_round_trips"`
	Doorbells  float64 `json:"mq_messages"`
}

// since returns the calls of each of n messages since before; nil if they are not counted.
func (c *Calls) since(before *Calls, n int64) *Calls {
	if c == nil {
		return nil
	}
	each := func(after, before float64) float64 { return ratio(after-before, float64(n)) }
	return &Calls{each(c.Statements, before.Statements), each(c.Trips, before.Trips), each(c.Doorbells, before.Doorbells)}
}

func (s *Site) calls(ctx context.Context) (*Calls, error) {
	if s.Calls == nil {
		return nil, nil
	}
	calls, err := s.Calls(ctx)
	return &calls, err
}

func (s *Site) processes() (pids []int) {
	for _, node := range s.Nodes {
		pids = append(pids, node.processes()...)
	}
	return pids
}

// memory is what the servers' processes hold together.
func (s *Site) memory() (sum int64, err error) {
	for _, pid := range s.processes() {
		rss, err := measure.RSS(pid)
		if err != nil {
			return sum, err
		}
		sum += rss
	}
	return sum, nil
}

// processes is the server's process, if it is known.
func (t Target) processes() []int {
	if t.PID == 0 {
		return nil
	}
	return []int{t.PID}
}

// connectAcross connects one user after the other to one node after the other, so that the two of a pair are apart where
// there are two nodes. It returns the connections and the nodes' addresses, by user.
func connectAcross(ctx context.Context, nodes []Target, tokens []string) (all []*wire.Conn, addrs []string, err error) {
	all, addrs = make([]*wire.Conn, len(tokens)), make([]string, len(tokens))
	for n, node := range nodes {
		var theirs []string
		for i := n; i < len(tokens); i += len(nodes) {
			theirs = append(theirs, tokens[i])
		}
		conns, err := connect(ctx, node, theirs, nil)
		for i, conn := range conns {
			all[n+i*len(nodes)], addrs[n+i*len(nodes)] = conn, node.Addr
		}
		if err != nil {
			return all, addrs, err
		}
	}
	return all, addrs, nil
}
