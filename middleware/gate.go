package middleware

import (
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"
)

const (
	// narrowFor is how long the gate stays narrow for an address after the last connection that it closed: longer than that one
	// waits, or the gate would be open when it comes back.
	narrowFor = 3 * time.Second
	// heldFor is how long a connection is left without an answer before it is closed, and maxHeld how many are at one time; the
	// others are closed at once.
	heldFor = time.Second
	maxHeld = 1 << 10
	// maxNarrow is for how many addresses the gate is narrow at one time.
	maxNarrow = 1 << 16
)

// Gate closes connections of addresses that go on after they have been refused far too often, before anything is read of
// them: a refusal by HTTP costs several times as much, and its cost is what such a client takes from the others. As many a
// second as may be tried it lets through, evenly, so that who shares the address still gets in. What it closes it leaves
// waiting first: who tries again as soon as an attempt has failed, as a broken loop does, comes far less often then. It is
// safe for concurrent use.
type Gate struct {
	closed func() // not nil

	held   atomic.Int64
	count  atomic.Int64 // of narrow; asked for each connection
	mu     sync.Mutex
	narrow map[netip.Addr]*passage
}

// passage is the gate of one address.
type passage struct {
	evenly *rate.Limiter
	until  time.Time
}

// NewGate returns a gate that is open to all. closed, if not nil, is called for each connection that it closes, before it does.
func NewGate(closed func()) *Gate {
	if closed == nil {
		closed = func() {}
	}
	return &Gate{closed: closed, narrow: make(map[netip.Addr]*passage)}
}

// Listener returns inner without the connections that the gate closes.
func (g *Gate) Listener(inner net.Listener) net.Listener { return &gatedListener{inner, g} }

// narrowTo lets only so many connections a second of an address through, which is one of clientNetwork.
func (g *Gate) narrowTo(address netip.Addr, perSecond float64) {
	now := time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.narrow[address] != nil {
		return
	}
	if len(g.narrow) >= maxNarrow {
		g.widen(now)
	}
	if len(g.narrow) < maxNarrow {
		g.narrow[address] = &passage{rate.NewLimiter(rate.Limit(perSecond), 1), now.Add(narrowFor)}
	}
	g.count.Store(int64(len(g.narrow)))
}

// widen opens the gate to those who have been let be.
func (g *Gate) widen(now time.Time) {
	for address, passage := range g.narrow {
		if !now.Before(passage.until) {
			delete(g.narrow, address)
		}
	}
}

// lets reports whether a connection from peer comes through.
func (g *Gate) lets(peer net.Addr) bool {
	if g.count.Load() == 0 {
		return true
	}
	tcp, ok := peer.(*net.TCPAddr)
	if !ok {
		return true
	}
	address, now := clientNetwork(tcp.AddrPort().Addr()), time.Now()
	g.mu.Lock()
	defer g.mu.Unlock()
	passage := g.narrow[address]
	switch {
	case passage == nil:
		return true
	case !now.Before(passage.until):
		delete(g.narrow, address)
		g.count.Store(int64(len(g.narrow)))
		return true
	case passage.evenly.AllowN(now, 1):
		return true
	}
	passage.until = now.Add(narrowFor)
	return false
}

// refuse closes a connection, after a while if there are not too many that wait.
func (g *Gate) refuse(conn net.Conn) {
	g.closed()
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // a reset leaves nothing behind in the kernel
	}
	if g.held.Add(1) > maxHeld {
		g.held.Add(-1)
		_ = conn.Close()
		return
	}
	time.AfterFunc(heldFor, func() {
		_ = conn.Close()
		g.held.Add(-1)
	})
}

type gatedListener struct {
	net.Listener
	gate *Gate
}

// Accept returns the next connection that the gate lets through.
func (l *gatedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil || l.gate.lets(conn.RemoteAddr()) {
			return conn, err
		}
		l.gate.refuse(conn)
	}
}
