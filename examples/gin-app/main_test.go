package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws/wstest/secrets"
)

// patience bounds what the test waits for; nothing is asserted of how long it took.
const patience = 60 * time.Second

// asProgram makes the test's own binary be the program, so that what is driven is a process of its own, built with the
// race detector where the test is.
const asProgram = "GIN_APP_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// program is the running application.
type program struct {
	t    *testing.T
	cmd  *exec.Cmd
	host string
	log  log
	read sync.WaitGroup
}

// log gathers what the program writes.
type log struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

var opened = regexp.MustCompile(`^the shop is open: http://([^/]+)/orders`)

// start runs the program on a free port and waits until it is open.
func start(t *testing.T, data string) *program {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	p := &program{t: t, cmd: exec.CommandContext(ctx, os.Args[0], "-listen", "127.0.0.1:0", "-data", data)}
	p.cmd.Env = append(os.Environ(), asProgram+"=1")
	p.cmd.Stderr = &p.log
	out, err := p.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, p.cmd.Start())
	t.Cleanup(func() {
		_ = p.cmd.Process.Kill()
		p.read.Wait()
		require.NoError(t, secrets.Check(strings.NewReader(p.log.String())))
	})
	open := make(chan string, 1)
	p.read.Go(func() {
		defer close(open)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			_, _ = fmt.Fprintln(&p.log, lines.Text())
			if found := opened.FindStringSubmatch(lines.Text()); found != nil {
				open <- found[1]
			}
		}
	})
	host, ok := <-open
	require.True(t, ok, "it did not open: %s", &p.log)
	p.host = host
	return p
}

// stop ends the program as a service manager does, and returns all that it wrote.
func (p *program) stop() string {
	p.t.Helper()
	require.NoError(p.t, p.cmd.Process.Signal(syscall.SIGTERM))
	p.read.Wait()
	require.NoError(p.t, p.cmd.Wait(), "it has to exit with 0: %s", &p.log)
	return p.log.String()
}

func (p *program) call(method, path, body, token string) (int, string) {
	p.t.Helper()
	req, err := http.NewRequestWithContext(p.t.Context(), method, "http://"+p.host+path, strings.NewReader(body))
	require.NoError(p.t, err)
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	require.NoError(p.t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(p.t, err)
	return resp.StatusCode, string(text)
}

// login returns a token of the development SSO.
func (p *program) login(openID string) string {
	p.t.Helper()
	status, text := p.call(http.MethodPost, "/im/dev/login", `{"openid":"`+openID+`","userName":"`+openID+`"}`, "")
	require.Equal(p.t, http.StatusOK, status, text)
	var answer struct {
		Token string `json:"token"`
	}
	require.NoError(p.t, json.Unmarshal([]byte(text), &answer))
	require.NotEmpty(p.t, answer.Token)
	return answer.Token
}

// dial connects with the token in the URL, which is where a careless log finds it.
func (p *program) dial(token string) *websocket.Conn {
	p.t.Helper()
	query := url.Values{"token": {token}, "v": {"1"}, "device": {"web"}}
	conn, resp, err := websocket.DefaultDialer.DialContext(p.t.Context(), "ws://"+p.host+"/im/ws?"+query.Encode(), nil)
	require.NoError(p.t, err, "%v", resp)
	p.t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// params are what the test looks at.
type params struct {
	Message  string `json:"message"`
	MsgID    string `json:"msgid"`
	FromUser struct {
		OpenID   string `json:"openid"`
		UserName string `json:"userName"`
	} `json:"fromUser"`
}

// expect returns the next reply or message of a type.
func expect(t *testing.T, conn *websocket.Conn, kind int) params {
	t.Helper()
	for {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		var frame struct {
			Type   any    `json:"type"`
			Params params `json:"params"`
			Msg    struct {
				Type   int    `json:"type"`
				Params params `json:"params"`
			} `json:"msg"`
		}
		require.NoError(t, conn.ReadJSON(&frame), "waiting for frame %d", kind)
		switch {
		case frame.Type == float64(kind):
			return frame.Params
		case frame.Type == nil && frame.Msg.Type == kind:
			return frame.Msg.Params
		}
	}
}

func TestShop(t *testing.T) {
	data := t.TempDir()
	readme, err := os.ReadFile("README.md")
	require.NoError(t, err)
	p := start(t, data)

	// The application is what it was.
	status, orders := p.call(http.MethodGet, "/orders", "", "")
	require.Equal(t, http.StatusOK, status)
	require.Contains(t, string(readme), orders)
	status, _ = p.call(http.MethodPost, "/orders/99/ship", "", "")
	require.Equal(t, http.StatusNotFound, status)

	// A customer is told while online.
	ada := p.login("ada")
	socket := p.dial(ada)
	expect(t, socket, 33)
	for _, want := range []string{`{"order":"17","message":"stored now"}`, `{"order":"17","message":"stored before"}`} {
		status, text := p.call(http.MethodPost, "/orders/17/ship", "", "")
		require.Equal(t, http.StatusOK, status, text)
		require.JSONEq(t, want, text)
		require.Contains(t, string(readme), text)
	}
	told := expect(t, socket, 2)
	require.Equal(t, "Order 17 (a lamp) has been shipped.", told.Message)
	require.Equal(t, "orders", told.FromUser.OpenID)
	require.Equal(t, "The shop", told.FromUser.UserName)
	require.Contains(t, string(readme), told.Message)
	ack := map[string]any{"type": 15, "params": map[string]any{"from": "client", "msgid": told.MsgID, "fromUser": "orders", "toUser": "ada"}}
	require.NoError(t, socket.WriteJSON(ack))
	require.Equal(t, "order-17-shipped", expect(t, socket, 16).Message)

	// Who claims another address has the one it comes from.
	const madeUp = "203.0.113.9"
	asked, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.host+"/orders", http.NoBody)
	require.NoError(t, err)
	asked.Header.Set("X-Forwarded-For", madeUp)
	answer, err := http.DefaultClient.Do(asked)
	require.NoError(t, err)
	require.NoError(t, answer.Body.Close())

	// By REST, with the token where it belongs.
	status, text := p.call(http.MethodGet, "/im/api/v1/conversations", "", ada)
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, text, told.Message)

	// One who was never here finds it on the first visit, after a restart.
	status, text = p.call(http.MethodPost, "/orders/18/ship", "", "")
	require.Equal(t, http.StatusOK, status, text)
	first := p.stop()
	p = start(t, data)
	bob := p.login("bob")
	require.Equal(t, "Order 18 (a chair) has been shipped.", expect(t, p.dial(bob), 2).Message)

	written := first + p.stop()
	require.Contains(t, written, "shop: 200 POST /orders/17/ship")
	require.Contains(t, written, "GET /orders from 127.0.0.1")
	require.NotContains(t, written, madeUp, "there is no proxy to say so")
	require.Contains(t, written, "shop: 101 GET /im/ws?", "the shop's own log has the connects")
	for _, secret := range []string{ada, bob, url.QueryEscape(ada), url.QueryEscape(bob), "token=", "has been shipped"} {
		require.NotContains(t, written, secret)
	}
}
