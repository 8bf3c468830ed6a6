package services

import (
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/yanlink/yanlink/deploy/freeport"
)

// Proxy stands between clients and one server on loopback, and is as bad a network as a test asks for. Its methods may be
// called from any goroutine.
type Proxy struct {
	Addr string // where it listens

	target string
	tasks  sync.WaitGroup // of accept and of every link

	mu       sync.Mutex
	listener net.Listener // nil: connections are refused
	links    map[*link]struct{}
	faults   faults
	changed  chan struct{} // closed when faults change, and then another
	closed   bool
}

// faults are what the proxy does to what passes.
type faults struct {
	hole  bool
	delay time.Duration
}

var errProxyClosed = errors.New("the proxy is closed")

// NewProxy forwards what comes to a free port of loopback to the target. Close ends it.
func NewProxy(target string) (*Proxy, error) {
	address, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	return NewProxyAt(address, target)
}

// NewProxyAt is [NewProxy] for a server whose clients look for it at the address.
func NewProxyAt(address, target string) (*Proxy, error) {
	p := &Proxy{Addr: address, target: target, links: make(map[*link]struct{}), changed: make(chan struct{})}
	if err := p.accept(); err != nil {
		return nil, fmt.Errorf("start a proxy: %w", err)
	}
	return p, nil
}

// MustProxy is NewProxy for a test, which closes it at its end.
func MustProxy(tb testing.TB, target string) *Proxy {
	tb.Helper()
	p, err := NewProxy(target)
	return mustProxy(tb, p, err)
}

// MustProxyAt is NewProxyAt for a test, which closes it at its end.
func MustProxyAt(tb testing.TB, address, target string) *Proxy {
	tb.Helper()
	p, err := NewProxyAt(address, target)
	return mustProxy(tb, p, err)
}

func mustProxy(tb testing.TB, p *Proxy, err error) *Proxy {
	tb.Helper()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(p.Close)
	return p
}

// Cut resets all connections. New ones are taken.
func (p *Proxy) Cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.cut()
	}
}

// HalfClose ends one direction of all connections: the server, or the clients, are told that nothing more will come, and
// what is sent to them still goes nowhere. The other direction goes on.
func (p *Proxy) HalfClose(towards Side) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for l := range p.links {
		l.halfClose(towards)
	}
}

// Refuse refuses new connections, as a machine without the server does. Those that are there stay.
func (p *Proxy) Refuse() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.refuse()
}

// BlackHole lets nothing through any more and tells nobody, as a network does that drops packets: connections stay, new
// ones are taken, and after Heal arrives what is sent meanwhile, also that a connection was closed.
func (p *Proxy) BlackHole() { p.change(func(f *faults) { f.hole = true }) }

// Delay makes each chunk of up to 32 KiB wait that long, in each direction. The next one is not read meanwhile.
func (p *Proxy) Delay(d time.Duration) { p.change(func(f *faults) { f.delay = d }) }

// Heal ends what Refuse, BlackHole and Delay began.
func (p *Proxy) Heal() error {
	p.change(func(f *faults) { *f = faults{} })
	return p.accept()
}

// Close cuts all connections, listens no more, and returns when nothing of the proxy runs.
func (p *Proxy) Close() {
	p.mu.Lock()
	p.closed = true
	p.refuse()
	for l := range p.links {
		l.cut()
	}
	p.mu.Unlock()
	p.tasks.Wait()
}

func (p *Proxy) change(do func(*faults)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	do(&p.faults)
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) refuse() {
	if p.listener != nil {
		_ = p.listener.Close()
		p.listener = nil
	}
}

// accept listens unless it does.
func (p *Proxy) accept() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return errProxyClosed
	}
	if p.listener != nil {
		return nil
	}
	var listener net.Listener
	err := patiently(func() (err error) {
		listener, err = net.Listen("tcp", p.Addr)
		return err
	})
	if err != nil {
		return err
	}
	p.listener = listener
	p.tasks.Go(func() { p.serve(listener) })
	return nil
}

// serve ends with its listener.
func (p *Proxy) serve(listener net.Listener) {
	for {
		client, err := listener.Accept()
		if err != nil {
			return
		}
		p.add(&link{proxy: p, client: client.(*net.TCPConn), gone: make(chan struct{})})
	}
}

func (p *Proxy) add(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		l.cut()
		return
	}
	p.links[l] = struct{}{}
	p.tasks.Go(func() {
		l.run()
		p.remove(l)
	})
}

func (p *Proxy) remove(l *link) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.links, l)
}

// now returns the faults, and what is closed when they change.
func (p *Proxy) now() (f faults, changed <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.faults, p.changed
}
