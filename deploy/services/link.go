package services

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// Side is one end of the connections through a [Proxy].
type Side int

// The sides.
const (
	ClientSide Side = iota
	ServerSide
)

const (
	chunk    = 32 << 10
	dialWait = 5 * time.Second
)

// link is one connection through a proxy: a client's, and the one to the server for it.
type link struct {
	proxy  *Proxy
	client *net.TCPConn
	gone   chan struct{} // closed by cut

	mu     sync.Mutex
	server *net.TCPConn // nil before it is dialed
	isGone bool
	ended  [2]bool // by side: whether HalfClose ended what goes there
}

// run returns when the link is over.
func (l *link) run() {
	if !l.connect() {
		l.cut()
		return
	}
	var back sync.WaitGroup
	back.Go(func() { l.pass(ClientSide, l.client, l.server) })
	l.pass(ServerSide, l.server, l.client)
	back.Wait()
	// In order: what is on its way still arrives. After a cut it is nothing.
	_, _ = l.client.Close(), l.server.Close()
}

// connect dials the server, unless the link is cut before.
func (l *link) connect() bool {
	if !l.wait() {
		return false
	}
	server, err := net.DialTimeout("tcp", l.proxy.target, dialWait)
	if err != nil {
		return false
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.server = server.(*net.TCPConn)
	if l.isGone {
		reset(l.server)
	}
	return !l.isGone
}

// pass hands on what from sends until it sends no more, and then says so to the other end.
func (l *link) pass(side Side, to, from *net.TCPConn) {
	buffer := make([]byte, chunk)
	for {
		n, err := from.Read(buffer)
		if !l.wait() {
			return
		}
		if n > 0 && !l.write(side, to, buffer[:n]) {
			l.cut()
			return
		}
		switch {
		case errors.Is(err, io.EOF):
			_ = to.CloseWrite() // a connection that is broken cannot be told
			return
		case err != nil:
			l.cut()
			return
		}
	}
}

// write reports whether the connection is still good.
func (l *link) write(side Side, to *net.TCPConn, data []byte) bool {
	if l.hasEnded(side) {
		return true
	}
	_, err := to.Write(data)
	return err == nil || l.hasEnded(side)
}

// wait is as long as the proxy's faults are. It reports whether the link is still there.
func (l *link) wait() bool {
	for {
		faults, changed := l.proxy.now()
		var over <-chan time.Time
		if !faults.hole {
			over = time.After(faults.delay)
		}
		select {
		case <-l.gone:
			return false
		case <-over:
			return true
		case <-changed:
		}
	}
}

// cut resets both connections.
func (l *link) cut() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.isGone {
		return
	}
	l.isGone = true
	close(l.gone)
	reset(l.client)
	if l.server != nil {
		reset(l.server)
	}
}

func (l *link) halfClose(side Side) {
	l.mu.Lock()
	defer l.mu.Unlock()
	to := l.client
	if side == ServerSide {
		to = l.server
	}
	if to == nil {
		return // no connection yet
	}
	l.ended[side] = true
	_ = to.CloseWrite() // a connection that is broken cannot be told
}

func (l *link) hasEnded(side Side) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.ended[side]
}

// reset closes a connection at once, with what is still in it.
func reset(conn *net.TCPConn) {
	_ = conn.SetLinger(0)
	_ = conn.Close()
}
