package wire

import (
	"bufio"
	"context"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"
)

// A fixed nonce: it protects caches between the two ends, of which there are none here.
const (
	nonce = "eWFubGluay1sb2FkZ2VuIQ=="
	guid  = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
)

// ErrNotLoopback is returned for an address that is not on this machine.
var ErrNotLoopback = errors.New("loadgen only loads servers on this machine: the address has to be a loopback one, such as 127.0.0.1:8084")

// Loopback checks that addr (host:port) names a loopback address, without asking a resolver.
func Loopback(addr string) error {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return fmt.Errorf("read address %q: %w", addr, err)
	}
	if host == "localhost" {
		return nil
	}
	if ip, err := netip.ParseAddr(host); err != nil || !ip.Unmap().IsLoopback() {
		return fmt.Errorf("%q: %w", addr, ErrNotLoopback)
	}
	return nil
}

// StatusError is a refusal of the handshake.
type StatusError struct {
	Status int
	Body   string
}

// Error implements error.
func (e *StatusError) Error() string {
	return fmt.Sprintf("the handshake was answered with %d: %s", e.Status, e.Body)
}

// Dial connects to /ws at addr as the owner of token, all within timeout.
func Dial(ctx context.Context, addr, token, device string, timeout time.Duration) (*Conn, error) {
	return Rude{}.Dial(ctx, addr, token, device, timeout)
}

// Rude dials from a loopback address of its own, and what it dials ends with a reset, which leaves no port behind that has
// to rest before it is used again. The zero Rude is as polite as others.
type Rude struct{ From netip.Addr }

// Dial is the function Dial from there.
func (r Rude) Dial(ctx context.Context, addr, token, device string, timeout time.Duration) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	c, err := r.Connect(ctx, addr)
	if err != nil {
		return nil, err
	}
	conn, err := upgrade(ctx, c, addr, token, device, timeout)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("upgrade: %w", err), c.Close())
	}
	return conn, nil
}

// Connect opens a connection on which nothing has been said yet.
func (r Rude) Connect(ctx context.Context, addr string) (net.Conn, error) {
	if err := Loopback(addr); err != nil {
		return nil, err
	}
	var dialer net.Dialer
	if r.From.IsValid() {
		dialer.LocalAddr = net.TCPAddrFromAddrPort(netip.AddrPortFrom(r.From, 0))
	}
	c, err := dialer.DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("connect: %w", err)
	}
	if tcp, ok := c.(*net.TCPConn); ok && r.From.IsValid() {
		err = tcp.SetLinger(0)
	}
	return c, err
}

func upgrade(ctx context.Context, c net.Conn, addr, token, device string, timeout time.Duration) (*Conn, error) {
	deadline, _ := ctx.Deadline()
	if err := c.SetDeadline(deadline); err != nil {
		return nil, err
	}
	query := url.Values{"token": {token}, "device": {device}, "v": {"1"}}
	_, err := io.WriteString(c, "GET /ws?"+query.Encode()+" HTTP/1.1\r\nHost: "+addr+
		"\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: "+nonce+"\r\n\r\n")
	if err != nil {
		return nil, err
	}
	r := bufio.NewReaderSize(c, 1<<10)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return nil, err
	}
	if err := accepted(response); err != nil {
		return nil, err
	}
	rest, err := r.Peek(r.Buffered())
	if err != nil {
		return nil, err
	}
	return newConn(c, rest, timeout), c.SetDeadline(time.Time{})
}

func accepted(response *http.Response) error {
	defer response.Body.Close()
	if response.StatusCode != http.StatusSwitchingProtocols {
		body, _ := io.ReadAll(io.LimitReader(response.Body, 256))
		return &StatusError{Status: response.StatusCode, Body: string(body)}
	}
	sum := sha1.Sum([]byte(nonce + guid))
	if response.Header.Get("Sec-WebSocket-Accept") != base64.StdEncoding.EncodeToString(sum[:]) {
		return errors.New("the handshake's Sec-WebSocket-Accept does not match its key")
	}
	return nil
}
