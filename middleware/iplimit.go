package middleware

import (
	"bufio"
	"net"
	"net/netip"
	"sync"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws/protocol"
)

// IPLimits bound what one client address may do on the route that opens sockets.
type IPLimits struct {
	Connections       int     // sockets at one time; 0 for no limit
	ConnectsPerSecond float64 // attempts, bursts of twice that; 0 for no limit
	// Gate becomes narrow for who is refused as often again as may be tried; nil for none.
	Gate *Gate
	// Unnamed, if not nil, is called with the address of a proxy when a client of it is refused for the first time, and the
	// proxy is none whose header is believed: then all its clients count as one.
	Unnamed func(proxy string)
}

// LimitIP refuses with 429 who has too many sockets or tries too often. The address is Gin's ClientIP; of IPv6 it is the
// network of 64 bits, which is what one client has. A refusal ends the connection, so that each further attempt passes the
// gate. It comes after Errors and before Authenticate.
func LimitIP(limits IPLimits) gin.HandlerFunc {
	rates := newBuckets[netip.Addr](limits.ConnectsPerSecond)
	refusals := newBuckets[netip.Addr](limits.ConnectsPerSecond)
	sockets := &sockets{open: make(map[netip.Addr]int)}
	unnamed := onceUnnamed(limits.Unnamed)
	return func(c *gin.Context) {
		address := clientNetworkOf(c.ClientIP())
		if wait := rates.take(address); wait > 0 {
			// Of who comes through a proxy that is believed, the gate would see the proxy.
			if limits.Gate != nil && c.ClientIP() == c.RemoteIP() && refusals.take(address) > 0 {
				limits.Gate.narrowTo(address, limits.ConnectsPerSecond)
			}
			unnamed(c)
			c.Header("Connection", "close")
			Refuse(c, &protocol.Error{Code: protocol.RateLimited, Message: "too many attempts to connect from this address", RetryAfter: wait})
			return
		}
		if limits.Connections == 0 {
			return
		}
		if !sockets.take(address, limits.Connections) {
			unnamed(c)
			c.Header("Connection", "close")
			Refuse(c, protocol.NewError(protocol.RateLimited, "too many connections from this address"))
			return
		}
		counted := &countedWriter{ResponseWriter: c.Writer, release: sync.OnceFunc(func() { sockets.give(address) })}
		c.Writer = counted
		defer func() { // also when a handler panics
			if !counted.hijacked {
				counted.release()
			}
		}()
		c.Next()
	}
}

// onceUnnamed returns what to call for each request that a limit of one address refuses: the first that came through a proxy
// whose header is not believed is told, if tell is not nil.
func onceUnnamed(tell func(proxy string)) func(*gin.Context) {
	var once sync.Once
	return func(c *gin.Context) {
		if tell != nil && c.GetHeader("X-Forwarded-For") != "" && c.ClientIP() == c.RemoteIP() {
			once.Do(func() { tell(c.RemoteIP()) })
		}
	}
}

// clientNetworkOf is clientNetwork of an address in text; what is none is the zero address.
func clientNetworkOf(ip string) netip.Addr {
	address, err := netip.ParseAddr(ip)
	if err != nil {
		return netip.Addr{}
	}
	return clientNetwork(address)
}

// clientNetwork is what one client has of addresses.
func clientNetwork(address netip.Addr) netip.Addr {
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
