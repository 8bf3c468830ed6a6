package rocketbus

import (
	"bytes"
	"context"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// server answers each connection with the same bytes, whatever it is asked; nil: with nothing.
func server(t *testing.T, answer []byte) (addr string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			if answer == nil {
				defer conn.Close()
				continue
			}
			_, _ = conn.Read(make([]byte, 4096))
			_, _ = conn.Write(answer)
			_ = conn.Close()
		}
	}()
	t.Cleanup(func() { _ = listener.Close(); <-ended })
	return listener.Addr().String()
}

func frame(t *testing.T, head, body string) []byte {
	t.Helper()
	out := []byte{0, 0, byte((4 + len(head) + len(body)) >> 8), byte(4 + len(head) + len(body)), 0, 0, 0, byte(len(head))}
	return append(append(out, head...), body...)
}

func TestRemoting_Ask(t *testing.T) {
	var r remoting
	addr := server(t, frame(t, `{"code":0,"flag":1}`, "body"))
	body, err := r.ask(t.Context(), addr, request{code: askRoute}, time.Minute)
	require.NoError(t, err)
	require.Equal(t, "body", string(body))

	_, err = r.ask(t.Context(), server(t, frame(t, `{"code":17}`, "")), request{}, time.Minute)
	require.ErrorIs(t, err, errNoTopic)
	_, err = r.ask(t.Context(), server(t, frame(t, `{"code":1,"remark":"no"}`, "")), request{}, time.Minute)
	require.ErrorContains(t, err, "code 1: no")
}

func TestRemoting_Ask_Silent(t *testing.T) {
	var r remoting
	_, err := r.ask(t.Context(), server(t, nil), request{}, 20*time.Millisecond)
	require.ErrorIs(t, err, context.DeadlineExceeded)
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(20*time.Millisecond, cancel)
	_, err = r.ask(ctx, server(t, nil), request{}, time.Hour)
	require.ErrorIs(t, err, context.Canceled)
}

func FuzzDecode(f *testing.F) {
	f.Add([]byte("HTTP/1.1 400 Bad Request\r\n\r\n"))
	f.Add([]byte{0, 0, 0, 6, 0, 0, 0, 2, '{', '}'})
	f.Add([]byte{0, 0, 0, 6, 0, 0, 0, 9, '{', '}'})
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, in []byte) {
		_, body, err := decode(bytes.NewReader(in))
		if err == nil {
			require.LessOrEqual(t, len(body), len(in))
		}
	})
}

func TestAdmin_Route(t *testing.T) {
	dead := server(t, nil)
	mute, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, mute.Close())
	// Older name servers write numbers as keys without quotes.
	old := server(t, frame(t, `{"code":0}`, `{"brokerDatas":[{"brokerAddrs":{0:"10.0.0.2:1",1:"10.0.0.3:1"}},{"brokerAddrs":{0:"10.0.0.1:1"}},{"brokerAddrs":{1:"10.0.0.4:1"}}]}`))
	a := newAdmin(Options{NameServers: []string{mute.Addr().String(), old, dead}})
	addrs, err := a.route(t.Context(), "topic")
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.1:1", "10.0.0.2:1"}, addrs)

	_, err = newAdmin(Options{NameServers: []string{server(t, frame(t, `{"code":0}`, `{"brokerDatas":[]}`))}}).route(t.Context(), "topic")
	require.ErrorIs(t, err, errNoTopic)
	_, err = newAdmin(Options{NameServers: []string{mute.Addr().String()}}).route(t.Context(), "topic")
	require.ErrorContains(t, err, "no name server answers")
}
