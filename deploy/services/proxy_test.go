package services_test

import (
	"bufio"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yanlink/yanlink/deploy/services"
)

// moment is how long nothing has to come before a test believes that nothing does.
const moment = 200 * time.Millisecond

// echo answers each line with the same, and what has no end of line at the end with "bye".
func echo(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for lines := bufio.NewReader(conn); ; {
					line, err := lines.ReadString('\n')
					if err == io.EOF {
						line = "bye\n"
					}
					if _, writeErr := io.WriteString(conn, line); err != nil || writeErr != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}

type client struct {
	*net.TCPConn
	lines *bufio.Reader
}

func dial(t *testing.T, address string) client {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return client{conn.(*net.TCPConn), bufio.NewReader(conn)}
}

func (c client) send(t *testing.T, line string) {
	t.Helper()
	_, err := io.WriteString(c, line+"\n")
	require.NoError(t, err)
}

func (c client) receive(t *testing.T) string {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	line, err := c.lines.ReadString('\n')
	require.NoError(t, err)
	return strings.TrimSuffix(line, "\n")
}

func (c client) requireSilence(t *testing.T) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(moment)))
	_, err := c.lines.ReadByte()
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
}

// requireEnd reads until the connection ends; a hang fails.
func (c client) requireEnd(t *testing.T) {
	t.Helper()
	require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
	_, err := c.lines.ReadByte()
	require.Error(t, err)
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}

func TestProxy_Forwards(t *testing.T) {
	target := echo(t)
	before := goleak.IgnoreCurrent()
	p, err := services.NewProxy(target)
	require.NoError(t, err)
	c := dial(t, p.Addr)
	big := strings.Repeat("x", 1<<20)
	go func() { _, _ = io.WriteString(c, big+"\n") }()
	require.Equal(t, big, c.receive(t))
	require.NoError(t, c.CloseWrite())
	require.Equal(t, "bye", c.receive(t), "the end of the client's stream arrives, and the answer to it")
	c.requireEnd(t)

	open := dial(t, p.Addr)
	open.send(t, "still here")
	require.Equal(t, "still here", open.receive(t))
	p.Close()
	p.Close()
	open.requireEnd(t)
	_, err = net.Dial("tcp", p.Addr)
	require.Error(t, err)
	require.Error(t, p.Heal(), "what is closed stays closed")
	goleak.VerifyNone(t, before)
}

func TestProxy_Cut(t *testing.T) {
	p := services.MustProxy(t, echo(t))
	c := dial(t, p.Addr)
	c.send(t, "one")
	require.Equal(t, "one", c.receive(t))
	p.Cut()
	c.requireEnd(t)
	again := dial(t, p.Addr)
	again.send(t, "two")
	require.Equal(t, "two", again.receive(t))
}

func TestProxy_Refuse(t *testing.T) {
	p := services.MustProxy(t, echo(t))
	c := dial(t, p.Addr)
	c.send(t, "one")
	require.Equal(t, "one", c.receive(t))
	p.Refuse()
	_, err := net.Dial("tcp", p.Addr)
	require.ErrorContains(t, err, "refused")
	c.send(t, "two")
	require.Equal(t, "two", c.receive(t), "what is connected stays")
	require.NoError(t, p.Heal())
	again := dial(t, p.Addr)
	again.send(t, "three")
	require.Equal(t, "three", again.receive(t))
}

func TestProxy_BlackHole(t *testing.T) {
	p := services.MustProxy(t, echo(t))
	c := dial(t, p.Addr)
	c.send(t, "one")
	require.Equal(t, "one", c.receive(t))
	p.BlackHole()
	c.send(t, "two")
	c.requireSilence(t)
	late := dial(t, p.Addr)
	late.send(t, "three")
	late.requireSilence(t)
	require.NoError(t, p.Heal())
	require.Equal(t, "two", c.receive(t), "what was on its way arrives")
	require.Equal(t, "three", late.receive(t))

	p.BlackHole()
	c.send(t, "four")
	p.Cut()
	c.requireEnd(t)
}

func TestProxy_Delay(t *testing.T) {
	p := services.MustProxy(t, echo(t))
	c := dial(t, p.Addr)
	p.Delay(moment)
	begun := time.Now()
	c.send(t, "one")
	require.Equal(t, "one", c.receive(t))
	require.GreaterOrEqual(t, time.Since(begun), 2*moment, "there and back")

	p.Delay(time.Hour)
	c.send(t, "two")
	c.requireSilence(t)
	require.NoError(t, p.Heal())
	require.Equal(t, "two", c.receive(t), "a delay that is ended is over at once")
}

func TestProxy_HalfClose(t *testing.T) {
	for name, side := range map[string]services.Side{"client": services.ClientSide, "server": services.ServerSide} {
		t.Run(name, func(t *testing.T) {
			p := services.MustProxy(t, echo(t))
			c := dial(t, p.Addr)
			c.send(t, "one")
			require.Equal(t, "one", c.receive(t))
			p.HalfClose(side)
			if side == services.ServerSide {
				require.Equal(t, "bye", c.receive(t), "the server saw the end, and its answer passes")
			}
			require.NoError(t, c.SetReadDeadline(time.Now().Add(10*time.Second)))
			_, err := c.lines.ReadByte()
			require.ErrorIs(t, err, io.EOF)
			c.send(t, "two") // goes nowhere, and does no harm
		})
	}
}

func TestProxy_TargetIsDown(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	p := services.MustProxy(t, listener.Addr().String())
	conn, err := net.DialTimeout("tcp", p.Addr, 10*time.Second)
	if err == nil { // it may be reset before it is seen to be there
		client{conn.(*net.TCPConn), bufio.NewReader(conn)}.requireEnd(t)
	}
	require.NotErrorIs(t, err, os.ErrDeadlineExceeded)
}
