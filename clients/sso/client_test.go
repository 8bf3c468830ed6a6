package sso_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/ws"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// endpoint is an SSO that answers as it is told to.
type endpoint struct {
	*httptest.Server
	mu     sync.Mutex
	status int
	body   string
	seen   http.Header
	calls  atomic.Int64
}

func newEndpoint(t *testing.T) *endpoint {
	t.Helper()
	e := &endpoint{status: http.StatusOK, body: `{"openid":"alice"}`}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.calls.Add(1)
		e.mu.Lock()
		defer e.mu.Unlock()
		e.seen = r.Header.Clone()
		http.SetCookie(w, &http.Cookie{Name: "sid", Value: "1"})
		w.WriteHeader(e.status)
		_, _ = io.WriteString(w, e.body)
	}))
	t.Cleanup(e.Close)
	return e
}

func (e *endpoint) answers(status int, body string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.status, e.body = status, body
}

var fields = sso.Fields{OpenID: "openid", UserName: "userName", Roles: "roles", IssuedAt: "issuedAt", ExpiresAt: "expiresAt", ExpiresIn: "expiresIn"}

var now = time.Unix(1_800_000_000, 0)

func newClient(t *testing.T, url string, change func(*sso.Options)) *sso.Client {
	t.Helper()
	opt := sso.Options{URL: url, Header: "token", Fields: fields, Timeout: 5 * time.Second, MaxConcurrent: 4, Clock: func() time.Time { return now }}
	if change != nil {
		change(&opt)
	}
	c := sso.New(opt)
	t.Cleanup(c.Close)
	return c
}

func ask(c ws.Authenticator, token string) (ws.Identity, error) {
	return c.Authenticate(context.Background(), ws.Credentials{Token: token})
}

func TestClient_Authenticate(t *testing.T) {
	e := newEndpoint(t)
	c := newClient(t, e.URL, nil)

	for body, want := range map[string]ws.Identity{
		`{"openid":"alice","userName":"Alice","roles":["admin","ops"]}`:                 {OpenID: "alice", Name: "Alice", Roles: []string{"admin", "ops"}},
		`{"code":0,"data":{"openid":7,"userName":"Seven","roles":"a, b"}}`:              {OpenID: "7", Name: "Seven", Roles: []string{"a", "b"}},
		`{"statusCode":"200","openid":"a","expiresIn":60}`:                              {OpenID: "a", ExpiresAt: now.Add(time.Minute).UTC()},
		`{"statusCode":200,"openid":"a","expiresAt":1900000000,"issuedAt":1.7e9}`:       {OpenID: "a", ExpiresAt: time.Unix(1_900_000_000, 0).UTC(), IssuedAt: time.UnixMilli(1_700_000_000_999).UTC()}, // a JWT counts whole seconds: it may be any moment of it
		`{"openid":"a","issuedAt":1700000000001}`:                                       {OpenID: "a", IssuedAt: time.UnixMilli(1_700_000_000_001).UTC()},
		`{"openid":"a","data":{"expiresAt":1900000000500}}`:                             {OpenID: "a", ExpiresAt: time.UnixMilli(1_900_000_000_500).UTC()},
		`{"openid":"a","expiresAt":"2030-01-02T03:04:05Z","unknown":[{}],"roles":null}`: {OpenID: "a", ExpiresAt: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)},
		`{"openid":"a","code":200.0,"statusCode":"0"}`:                                  {OpenID: "a"},
		`{"openid":"a","code":null}`:                                                    {OpenID: "a"},
	} {
		e.answers(http.StatusOK, body)
		got, err := ask(c, "t")
		require.NoError(t, err, body)
		require.Equal(t, want, got, body)
	}
	require.Equal(t, "t", e.seen.Get("Token"))
	require.Empty(t, e.seen.Get("Cookie"), "a service call carries nobody's cookie")
}

func TestClient_Authenticate_Refused(t *testing.T) {
	e := newEndpoint(t)
	c := newClient(t, e.URL, nil)
	for body, status := range map[string]int{
		`no`:                                       http.StatusUnauthorized,
		`{"openid":"a"}`:                           http.StatusForbidden,
		`{"code":401}`:                             http.StatusOK,
		`{"statusCode":-501,"openid":"a"}`:         http.StatusOK,
		`{"code":10002,"openid":"a"}`:              http.StatusOK,
		`{"openid":"a","expiresAt":1700000000}`:    http.StatusOK,
		`{"openid":"a","expiresAt":1700000000000}`: http.StatusOK,
		`{"openid":"a","expiresAt":253402300800}`:  http.StatusOK, // milliseconds: in 1978
		`{"openid":"a","expiresIn":0}`:             http.StatusOK,
		`{"openid":"a","expiresIn":-1}`:            http.StatusOK,
		`{"openid":"a","expiresIn":-1e300}`:        http.StatusOK,
		`{"openid":"a","code":"OK"}`:               http.StatusOK,
		`{"openid":"a","code":"NaN"}`:              http.StatusOK,
		`{"openid":"a","code":200.5}`:              http.StatusOK,
		`{"openid":"a,b"}`:                         http.StatusOK,
	} {
		e.answers(status, body)
		_, err := ask(c, "secret")
		require.ErrorIs(t, err, ws.ErrInvalidToken, body)
		require.NotErrorIs(t, err, ws.ErrCannotTell)
	}
	for _, token := range []string{"", "a\nb", "ü", strings.Repeat("x", 9000)} {
		before := e.calls.Load()
		_, err := ask(c, token)
		require.ErrorIs(t, err, ws.ErrInvalidToken)
		require.Equal(t, before, e.calls.Load(), "such a token is not worth a call")
	}
	e.answers(http.StatusUnauthorized, "")
	for range 20 {
		_, err := ask(c, "secret")
		require.ErrorIs(t, err, ws.ErrInvalidToken, "a refusal is an answer, however often it comes")
	}
	require.True(t, c.Reachable())
}

func TestClient_Authenticate_CannotTell(t *testing.T) {
	e := newEndpoint(t)
	for body, status := range map[string]int{
		`{"openid":"a"}`:                              http.StatusInternalServerError,
		`{"openid":"b"}`:                              http.StatusNotFound,
		`{"code":503}`:                                http.StatusOK,
		`{"openid":"a","code":false}`:                 http.StatusOK,
		`{"openid":"a","code":true}`:                  http.StatusOK,
		`{"openid":"a","code":{}}`:                    http.StatusOK,
		`{"openid":"a","code":[200]}`:                 http.StatusOK,
		`{"openid":"a","code":""}`:                    http.StatusOK,
		`{"openid":"a","statusCode":{"value":"401"}}`: http.StatusOK,
		`{"openid":"a","code":429.0}`:                 http.StatusOK,
		`[]`:                                          http.StatusOK,
		`<html>`:                                      http.StatusOK,
		`{"userName":"a"}`:                            http.StatusOK,
		`{"openid":"a","more":"` + strings.Repeat("x", 70<<10) + `"}`: http.StatusOK,
	} {
		e.answers(status, body)
		_, err := ask(newClient(t, e.URL, nil), "secret")
		require.ErrorIs(t, err, ws.ErrCannotTell, body)
		require.NotErrorIs(t, err, ws.ErrInvalidToken)
		require.NotContains(t, err.Error(), "secret")
	}
}

// An end that lies far ahead is one, and what cannot be counted or read is none: neither has come.
func TestClient_Authenticate_FarEnds(t *testing.T) {
	e := newEndpoint(t)
	c := newClient(t, e.URL, nil)
	last := time.Unix(253_402_300_799, 0)
	for body, want := range map[string]time.Time{
		`"expiresAt":253402300799`:                       last,
		`"expiresAt":"253402300799"`:                     last,
		`"expiresAt":100000000000`:                       time.Unix(100_000_000_000, 0),
		`"expiresAt":253402300799000`:                    last,
		`"expiresAt":253402300800000`:                    {},
		`"expiresAt":9223372036854775807`:                {},
		`"expiresAt":1e300`:                              {},
		`"expiresAt":1e400`:                              {},
		`"expiresAt":"Inf"`:                              {},
		`"expiresAt":"NaN"`:                              {},
		`"expiresAt":-1`:                                 {},
		`"expiresAt":"9999-12-31T23:59:59-05:00"`:        {},
		`"expiresAt":"soon"`:                             {},
		`"expiresIn":9999999999`:                         time.Unix(11_799_999_999, 0),
		`"expiresIn":1e12`:                               {},
		`"expiresIn":9223372036854775807`:                {},
		`"expiresIn":1e300`:                              {},
		`"expiresIn":1e400`:                              {},
		`"expiresIn":"NaN"`:                              {},
		`"expiresIn":"Inf"`:                              {},
		`"expiresIn":"-Inf"`:                             {},
		`"expiresAt":"NaN","expiresIn":60`:               now.Add(time.Minute),
		`"expiresAt":9223372036854775807,"expiresIn":60`: now.Add(time.Minute),
	} {
		e.answers(http.StatusOK, `{"openid":"a",`+body+`}`)
		got, err := ask(c, "t")
		require.NoError(t, err, body)
		require.True(t, want.Equal(got.ExpiresAt), "%s: %s", body, got.ExpiresAt)
		_, err = got.ExpiresAt.MarshalJSON()
		require.NoError(t, err, body)
	}
}

func TestClient_Authenticate_NoRedirect(t *testing.T) {
	thief := newEndpoint(t)
	redirecting := httptest.NewServer(http.RedirectHandler(thief.URL, http.StatusTemporaryRedirect))
	t.Cleanup(redirecting.Close)
	_, err := ask(newClient(t, redirecting.URL, nil), "secret")
	require.ErrorIs(t, err, ws.ErrCannotTell)
	require.Zero(t, thief.calls.Load(), "the token went where the SSO pointed")
}

func TestClient_Authenticate_HeaderAndScheme(t *testing.T) {
	e := newEndpoint(t)
	c := newClient(t, e.URL, func(o *sso.Options) { o.Header, o.Scheme = "Authorization", "Bearer" })
	_, err := ask(c, "abc")
	require.NoError(t, err)
	require.Equal(t, "Bearer abc", e.seen.Get("Authorization"))
}

func TestClient_Authenticate_Timeout(t *testing.T) {
	release := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
	t.Cleanup(slow.Close)
	t.Cleanup(func() { close(release) })
	c := newClient(t, slow.URL, func(o *sso.Options) { o.Timeout, o.MaxConcurrent = 50*time.Millisecond, 1 })
	_, err := ask(c, "t")
	require.ErrorIs(t, err, ws.ErrCannotTell)

	t.Run("NoPlace", func(t *testing.T) {
		c := newClient(t, slow.URL, func(o *sso.Options) { o.Timeout, o.MaxConcurrent = 300*time.Millisecond, 1 })
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				_, err := ask(c, "t")
				require.ErrorIs(t, err, ws.ErrCannotTell)
			})
		}
		wg.Wait()
	})
}

func TestClient_Breaker(t *testing.T) {
	e := newEndpoint(t)
	e.answers(http.StatusBadGateway, "")
	c := newClient(t, e.URL, nil)
	for i := range 30 {
		_, err := ask(c, fmt.Sprint(i))
		require.ErrorIs(t, err, ws.ErrCannotTell)
	}
	require.EqualValues(t, 10, e.calls.Load(), "an SSO that is down is left alone")
	require.False(t, c.Reachable())
}

// Whoever shows tokens that the SSO takes for malformed locks nobody else out; its own trouble is another thing.
func TestClient_Breaker_Status(t *testing.T) {
	for status, open := range map[int]bool{400: false, 404: false, 422: false, 302: true, 408: true, 425: true, 429: true, 500: true, 503: true} {
		e := newEndpoint(t)
		e.answers(status, "")
		c := newClient(t, e.URL, nil)
		for i := range 12 {
			_, err := ask(c, fmt.Sprint(i))
			require.ErrorIs(t, err, ws.ErrCannotTell, status)
			require.NotErrorIs(t, err, ws.ErrInvalidToken, status)
		}
		require.Equal(t, open, !c.Reachable(), status)
		e.answers(http.StatusOK, `{"openid":"alice"}`)
		_, err := ask(c, "good")
		require.Equal(t, open, err != nil, status)
	}
}
