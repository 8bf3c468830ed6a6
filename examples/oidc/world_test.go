package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/examples/oidc/provider"
)

// patience bounds what a test waits for; nothing is asserted of how long it took.
const patience = 30 * time.Second

// world is a provider, the endpoint and a Yanlink server that asks it, each on a listener of its own.
type world struct {
	t        *testing.T
	issuer   *httptest.Server
	endpoint *httptest.Server
	yanlink  string // host and port
}

func newWorld(t *testing.T, lifetime time.Duration) *world {
	t.Helper()
	w := &world{t: t}
	w.issuer = httptest.NewUnstartedServer(nil)
	w.issuer.Config.Handler = provider.New("http://"+w.issuer.Listener.Addr().String(), lifetime)
	w.issuer.Start()
	t.Cleanup(w.issuer.Close)
	check, err := newChecker(t.Context(), settings{
		issuer: w.issuer.URL, audience: provider.Chat, clientID: provider.Chat, clientSecret: provider.Secret, timeout: patience,
	})
	require.NoError(t, err)
	w.endpoint = httptest.NewServer(check)
	t.Cleanup(w.endpoint.Close)

	cfg := configs.Default()
	cfg.Store.Dir = t.TempDir()
	cfg.SSO.URL = w.endpoint.URL
	cfg.SSO.CacheTTL, cfg.SSO.Recheck = time.Second, time.Second // as short as they may be
	cfg.Messages.UnknownUsers = "store"
	cfg.Drain = configs.Drain{Spread: time.Millisecond, Timeout: patience}
	server := httptest.NewUnstartedServer(nil)
	cfg.Node.Advertise = server.Listener.Addr().String()
	bundle, err := app.New(cfg)
	require.NoError(t, err)
	gin.SetMode(gin.TestMode)
	router := gin.New()
	bundle.Mount(router)
	server.Config.Handler = router
	require.NoError(t, bundle.Start(t.Context()))
	server.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience) // the test's own has ended by now
		defer cancel()
		require.NoError(t, bundle.Stop(ctx))
		server.Close()
	})
	w.yanlink = strings.TrimPrefix(server.URL, "http://")
	return w
}

// tokens are what the provider gives at the end of a login.
type tokens struct {
	Access string `json:"access_token"`
	ID     string `json:"id_token"`
}

// login goes through the authorization code flow as a browser does: it follows to the login page, fills in its form, and
// takes the code from the address that the provider sends it back to. The application then has the code exchanged.
func (w *world) login(application, name string) tokens {
	w.t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(w.t, err)
	var back *url.URL
	browser := &http.Client{Jar: jar, CheckRedirect: func(r *http.Request, _ []*http.Request) error {
		if strings.HasPrefix(r.URL.String(), provider.Callback) {
			back = r.URL
			return http.ErrUseLastResponse
		}
		return nil
	}}
	state := rand.Text()
	page := w.get(browser, w.issuer.URL+"/auth?"+url.Values{
		"client_id": {application}, "redirect_uri": {provider.Callback}, "response_type": {"code"},
		"scope": {"openid profile"}, "state": {state},
	}.Encode())
	w.post(browser, w.issuer.URL+"/login/username", url.Values{
		"username": {name}, "password": {provider.Password}, "id": {page.Request.URL.Query().Get("authRequestID")},
	}, "")
	require.NotNil(w.t, back, "the provider did not send the browser back")
	require.Equal(w.t, state, back.Query().Get("state"))

	answer := w.post(http.DefaultClient, w.issuer.URL+"/oauth/token", url.Values{
		"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {provider.Callback},
	}, application)
	var given tokens
	require.NoError(w.t, json.Unmarshal([]byte(answer), &given), answer)
	require.NotEmpty(w.t, given.Access, answer)
	return given
}

// revoke is what an application does when somebody signs out.
func (w *world) revoke(application, token string) {
	w.t.Helper()
	w.post(http.DefaultClient, w.issuer.URL+"/revoke", url.Values{"token": {token}}, application)
}

func (w *world) get(browser *http.Client, address string) *http.Response {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, address, http.NoBody)
	require.NoError(w.t, err)
	resp, err := browser.Do(req)
	require.NoError(w.t, err)
	_ = resp.Body.Close()
	require.Equal(w.t, http.StatusOK, resp.StatusCode)
	return resp
}

func (w *world) post(browser *http.Client, address string, form url.Values, application string) string {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodPost, address, strings.NewReader(form.Encode()))
	require.NoError(w.t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if application != "" {
		req.SetBasicAuth(application, provider.Secret)
	}
	resp, err := browser.Do(req)
	require.NoError(w.t, err)
	text, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	require.NoError(w.t, err)
	require.Less(w.t, resp.StatusCode, http.StatusBadRequest, "%s", text)
	return string(text)
}

// me asks Yanlink whose a token is.
func (w *world) me(token string) (int, string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.yanlink+"/api/v1/me", http.NoBody)
	require.NoError(w.t, err)
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(w.t, err)
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(w.t, err)
	return resp.StatusCode, string(text)
}

// dial opens a session as the JavaScript client does, and returns the status where it is refused.
func (w *world) dial(token string) (*websocket.Conn, int) {
	w.t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"yanlink.v1", "yanlink.token." + base64.RawURLEncoding.EncodeToString([]byte(token))}}
	conn, resp, err := dialer.DialContext(w.t.Context(), "ws://"+w.yanlink+"/ws", nil)
	require.NotNil(w.t, resp, "%v", err)
	if err != nil {
		return nil, resp.StatusCode
	}
	w.t.Cleanup(func() { _ = conn.Close() })
	return conn, resp.StatusCode
}

// frame is what a test looks at of a frame.
type frame struct {
	Type   any    `json:"type"`
	Params params `json:"params"`
	Msg    *frame `json:"msg"`
}

type params struct {
	OpenID   string  `json:"openid"`
	Message  string  `json:"message"`
	FromUser *params `json:"fromUser"`
	UserName string  `json:"userName"`
}

// expect returns the params of the next frame of a type, in an envelope or not.
func expect(t *testing.T, conn *websocket.Conn, kind int) params {
	t.Helper()
	for {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		var f frame
		require.NoError(t, conn.ReadJSON(&f), "waiting for frame %d", kind)
		if f.Msg != nil {
			f = *f.Msg
		}
		if f.Type == float64(kind) {
			return f.Params
		}
	}
}

// closed reads until the session ends, and returns its close code.
func closed(t *testing.T, conn *websocket.Conn) int {
	t.Helper()
	for {
		require.NoError(t, conn.SetReadDeadline(time.Now().Add(patience)))
		_, _, err := conn.ReadMessage()
		if err == nil {
			continue
		}
		var ended *websocket.CloseError
		require.ErrorAs(t, err, &ended)
		return ended.Code
	}
}
