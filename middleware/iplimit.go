package middleware

import (
	"bufio"
	"net"
	"net/netip"
	"sync"

	"github.com/gin-gonic/gin"
	lru "github.com/hashicorp/golang-lru/v2"
	"golang.org/x/time/rate"

	"github.com/yanlink/yanlink/ws/protocol"
)

// maxAddresses is how many client addresses have their rate remembered.
const maxAddresses = 1 << 16

// IPLimits bound what one client address may do on the route that opens sockets.
type IPLimits struct {
	Connections       int     // sockets at one time; 0 for no limit
	ConnectsPerSecond float64 // attempts, bursts of twice that; 0 for no limit
}

// LimitIP refuses with 429 who has too many sockets or tries too often. The address is Gin's ClientIP; of IPv6 it is the
// network of 64 bits, which is what one client has. It comes after Errors and before Authenticate.
func LimitIP(limits IPLimits) gin.HandlerFunc {
	rates, err := lru.New[netip.Addr, *rate.Limiter](maxAddresses)
	if err != nil {
		panic(err) // the size is a constant
	}
	sockets := &sockets{open: make(map[netip.Addr]int)}
	return func(c *gin.Context) {
		address := clientNetwork(c.ClientIP())
		if limits.ConnectsPerSecond > 0 && !limiterOf(rates, address, limits.ConnectsPerSecond).Allow() {
			Refuse(c, protocol.NewError(protocol.RateLimited, "too many attempts to connect from this address"))
			return
		}
		if limits.Connections == 0 {
			return
		}
		if !sockets.take(address, limits.Connections) {
			Refuse(c, protocol.NewError(protocol.RateLimited, "too many connections from this address"))
			return
		}
		counted := &countedWriter{ResponseWriter: c.Writer, release: sync.OnceFunc(func() { sockets.give(address) })}
		c.Writer = counted
		c.Next()
		if !counted.hijacked {
			counted.release()
		}
	}
}

func limiterOf(rates *lru.Cache[netip.Addr, *rate.Limiter], address netip.Addr, perSecond float64) *rate.Limiter {
	fresh := rate.NewLimiter(rate.Limit(perSecond), max(1, int(2*perSecond)))
	if known, ok, _ := rates.PeekOrAdd(address, fresh); ok {
		rates.Get(address) // it was used
		return known
	}
	return fresh
}

func clientNetwork(ip string) netip.Addr {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Addr{}
	}
	address = address.Unmap().WithZone("")
	if network, err := address.Prefix(64); address.Is6() && err == nil {
		return network.Addr()
	}
	return address
}

// sockets counts open ones by address; it holds an entry only for addresses that have any.
type sockets struct {
	mu   sync.Mutex
	open map[netip.Addr]int
}

func (s *sockets) take(address netip.Addr, limit int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[address] >= limit {
		return false
	}
	s.open[address]++
	return true
}

func (s *sockets) give(address netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open[address]--; s.open[address] <= 0 {
		delete(s.open, address)
	}
}

// countedWriter sees its connection taken over and counts it until that is closed.
type countedWriter struct {
	gin.ResponseWriter
	hijacked bool
	release  func()
}

// Hijack implements http.Hijacker.
func (w *countedWriter) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, buffered, err := w.ResponseWriter.Hijack()
	if err != nil {
		return nil, nil, err
	}
	w.hijacked = true
	return &countedConn{Conn: conn, release: w.release}, buffered, nil
}

type countedConn struct {
	net.Conn
	release func()
}

// Close closes the connection and gives its place back.
func (c *countedConn) Close() error {
	defer c.release()
	return c.Conn.Close()
}

// CloseWrite ends the writing side only, where the connection can.
func (c *countedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return c.Close()
}
