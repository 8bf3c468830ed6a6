package app_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/ws/protocol"
)

// ssoStub is an SSO that knows everybody, until it is given another way to answer.
type ssoStub struct {
	*httptest.Server
	answer atomic.Pointer[http.HandlerFunc]
	calls  atomic.Int32
	over   chan struct{} // closed when those that hang may go
}

func newSSOStub(t *testing.T) *ssoStub {
	t.Helper()
	s := &ssoStub{over: make(chan struct{})}
	s.behave(saysWho)
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.calls.Add(1)
		(*s.answer.Load())(w, r)
	}))
	t.Cleanup(func() { close(s.over); s.Close() })
	return s
}

func (s *ssoStub) behave(answer http.HandlerFunc) { s.answer.Store(&answer) }

// saysWho is how an SSO should answer.
func saysWho(w http.ResponseWriter, r *http.Request) {
	_, _ = fmt.Fprintf(w, `{"openid":%q}`, ownerOf(r.Header.Get("token")))
}

// saysMore says who it is, and something else.
func saysMore(fields string) func(*ssoStub) http.HandlerFunc {
	return func(*ssoStub) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = fmt.Fprintf(w, `{"openid":%q,%s}`, ownerOf(r.Header.Get("token")), fields)
		}
	}
}

func says(status int, body string) func(*ssoStub) http.HandlerFunc {
	return func(*ssoStub) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		}
	}
}

// ssoFaults are the rows of the table in docs/sso.md: what the SSO does, and what a token that is new and one that is
// known are answered with.
var ssoFaults = []struct {
	name       string
	answer     func(*ssoStub) http.HandlerFunc
	fresh, old int
}{
	{"answers slowly, within `sso.timeout`", func(*ssoStub) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(20 * time.Millisecond)
			saysWho(w, r)
		}
	}, 200, 200},
	{"tells an end that is too far to be counted", saysMore(`"expiresIn":1e300`), 200, 200},
	{"tells an end that cannot be read", saysMore(`"expiresAt":"NaN"`), 200, 200},
	{"hangs", func(s *ssoStub) http.HandlerFunc {
		return func(_ http.ResponseWriter, r *http.Request) { s.hang(r) }
	}, 503, 200},
	{"begins to answer and hangs", func(s *ssoStub) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, `{"openid":`)
			_ = http.NewResponseController(w).Flush()
			s.hang(r)
		}
	}, 503, 200},
	{"closes the connection", func(*ssoStub) http.HandlerFunc {
		return func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }
	}, 503, 200},
	{"answers with 500", says(500, `{"openid":"a"}`), 503, 200},
	{"answers with 429", says(429, ``), 503, 200},
	{"answers with 400", says(400, ``), 503, 200},
	{"answers with 404", says(404, `{"openid":"a"}`), 503, 200},
	{"redirects", func(s *ssoStub) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/elsewhere" {
				saysWho(w, r)
				return
			}
			http.Redirect(w, r, s.URL+"/elsewhere", http.StatusFound)
		}
	}, 503, 200},
	{"sends 10 MB", says(200, `{"openid":"a","more":"`+strings.Repeat("x", 10<<20)+`"}`), 503, 200},
	{"sends a page", says(200, `<html>log in</html>`), 503, 200},
	{"sends JSON that is no object", says(200, `["a"]`), 503, 200},
	{"sends no openid", says(200, `{"userName":"A"}`), 503, 200},
	{"sends an openid of a wrong type", says(200, `{"openid":{"id":"a"}}`), 503, 200},
	{"sends `code` or `statusCode` 429 or 5xx", says(200, `{"code":500}`), 503, 200},
	{"sends a `code` or `statusCode` that is neither a number nor a text", saysMore(`"code":false`), 503, 200},
	{"sends another `code` or `statusCode` than 0 and 200", says(200, `{"code":401,"openid":"a"}`), 401, 401},
	{"sends an openid that cannot be one", says(200, `{"openid":"a,b"}`), 401, 401},
	{"sends an end that is over", says(200, `{"openid":"a","expiresIn":-1}`), 401, 401},
	{"answers with 401 or 403", says(403, ``), 401, 401},
}

// well are those of them that tell of the call, and nothing of an SSO in trouble.
var well = []string{"answers with 400", "answers with 404"}

// graceless are some of them, with which it is waited what becomes of a live connection when the grace is over too: for the
// breaker's sake that takes long.
var graceless = []string{"hangs", "answers with 500"}

func (s *ssoStub) hang(r *http.Request) {
	select {
	case <-r.Context().Done():
	case <-s.over:
	}
}

func TestSSO_Faults(t *testing.T) {
	text, err := os.ReadFile("../docs/sso.md")
	require.NoError(t, err)
	for _, row := range ssoFaults {
		require.Contains(t, string(text), fmt.Sprintf("| %s | %s | %s |", row.name, told(row.fresh), told(row.old)), "the row of docs/sso.md")
		t.Run(strings.NewReplacer(" ", "_", "`", "").Replace(row.name), func(t *testing.T) {
			t.Parallel()
			stub := newSSOStub(t)
			var ahead atomic.Int64
			cfg := testConfig(t)
			cfg.SSO.URL, cfg.SSO.Timeout, cfg.SSO.Recheck = stub.URL, time.Second, time.Second
			cfg.SSO.Grace = 24 * time.Hour
			h := newHost(t, cfg, app.WithClock(func() time.Time { return time.Now().Add(time.Duration(ahead.Load())) }))
			conn := dial(t, h.base, "known")

			stub.behave(row.answer(stub))
			forget := func() { ahead.Add(int64(cfg.SSO.CacheTTL + time.Second)) }
			stub.askedAgain(t, forget)
			if row.old == http.StatusUnauthorized {
				ends(t, conn, protocol.CloseTokenEnded)
			} else {
				stub.askedAgain(t, forget) // the time before is over then
				require.NoError(t, conn.WriteMessage(1, []byte(`{"type":11}`)))
				require.EqualValues(t, 12, receive(t, conn)["type"], "who is connected stays")
			}
			forget()
			me(t, h, "new", row.fresh)
			me(t, h, "known", row.old)
			if row.fresh != http.StatusServiceUnavailable {
				return
			}
			asked := stub.calls.Load()
			crowd(t, h, 30)
			if slices.Contains(well, row.name) {
				require.GreaterOrEqual(t, stub.calls.Load()-asked, int32(30), "what is wrong with one token keeps out no other")
			} else {
				require.Less(t, stub.calls.Load()-asked, int32(30), "an SSO in trouble is left alone")
			}
			if ahead.Add(int64(cfg.SSO.CacheTTL + cfg.SSO.Grace + time.Second)); !slices.Contains(graceless, row.name) {
				me(t, h, "known", http.StatusServiceUnavailable)
				return
			}
			stub.askedAgain(t, forget)
			stub.askedAgain(t, forget)
			me(t, h, "known", http.StatusServiceUnavailable)
			require.NoError(t, conn.WriteMessage(1, []byte(`{"type":11}`)))
			require.EqualValues(t, 12, receive(t, conn)["type"], "who is connected stays: nobody said that the token has ended")
		})
	}
}

// askedAgain waits until the stub is asked, by whoever checks the token of a live connection again: nobody else comes.
// Meanwhile it lets forget what was remembered, since an answer that is under way is remembered from when it comes.
func (s *ssoStub) askedAgain(t *testing.T, forget func()) {
	t.Helper()
	before := s.calls.Load()
	forget()
	require.Eventually(t, func() bool {
		if s.calls.Load() > before {
			return true
		}
		forget()
		return false
	}, patience, time.Second, "nobody checks the live token again")
}

// ends reads on until the connection is closed, which has to be with this code.
func ends(t *testing.T, conn *websocket.Conn, code int) {
	t.Helper()
	require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
	var err error
	for err == nil {
		_, _, err = conn.ReadMessage()
	}
	require.True(t, websocket.IsCloseError(err, code), err)
}

// told is how docs/sso.md writes an answer.
func told(status int) string {
	switch status {
	case http.StatusOK:
		return "let in"
	case http.StatusUnauthorized:
		return "401"
	}
	return "503, `Retry-After: 2`"
}

// me asks who a token is, and holds the whole answer against what the status promises.
func me(t *testing.T, h *host, token string, status int) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, h.base+"/api/v1/me", http.NoBody)
	require.NoError(t, err)
	request.Header.Set("Authorization", "Bearer "+tokenOf(token))
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	require.Equal(t, status, response.StatusCode, "%s", body)
	if status == http.StatusServiceUnavailable {
		require.Equal(t, "2", response.Header.Get("Retry-After"))
		require.Contains(t, string(body), `"sso_unavailable"`)
	} else {
		require.Empty(t, response.Header.Get("Retry-After"))
	}
	handshake := status
	if status == http.StatusOK {
		handshake = http.StatusSwitchingProtocols
	}
	conn, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(h.base, "http")+"/ws?device=another&token="+tokenOf(token), nil)
	require.NotNil(t, response, err)
	require.Equal(t, handshake, response.StatusCode, "the answer to a handshake")
	require.NoError(t, response.Body.Close())
	if conn != nil {
		require.NoError(t, conn.Close())
	}
}

// crowd asks who each of many new tokens is, five at a time. All have to be told to come back.
func crowd(t *testing.T, h *host, tokens int) {
	t.Helper()
	statuses := make([]int, tokens)
	var all sync.WaitGroup
	for lane := range 5 {
		all.Go(func() {
			for i := lane; i < tokens; i += 5 {
				request, _ := http.NewRequest(http.MethodGet, h.base+"/api/v1/me", http.NoBody)
				request.Header.Set("Authorization", fmt.Sprintf("Bearer stranger-%d", i))
				if response, err := http.DefaultClient.Do(request); err == nil {
					_ = response.Body.Close()
					statuses[i] = response.StatusCode
				}
			}
		})
	}
	all.Wait()
	for i, status := range statuses {
		require.Equal(t, http.StatusServiceUnavailable, status, "token %d", i)
	}
}
