package sso_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/ws"
)

func serveDev(t *testing.T, dev *sso.Dev) *httptest.Server {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("POST /dev/login", dev.Login)
	mux.HandleFunc("GET /dev/sso/check", dev.Check)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server
}

func login(t *testing.T, server *httptest.Server, body string, change func(*http.Request)) (int, map[string]any) {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), "POST", server.URL+"/dev/login", strings.NewReader(body))
	require.NoError(t, err)
	if change != nil {
		change(request)
	}
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	var answer map[string]any
	require.NoError(t, json.NewDecoder(response.Body).Decode(&answer))
	return response.StatusCode, answer
}

func TestDev_LoginAndCheck(t *testing.T) {
	at := &clock{now}
	dev := &sso.Dev{Key: []byte("0123456789abcdef"), Header: "Authorization", Scheme: "Bearer", Clock: at.now}
	server := serveDev(t, dev)
	status, answer := login(t, server, `{"openid":"alice","userName":"Alice","roles":["admin"]}`, nil)
	require.Equal(t, 200, status)
	require.EqualValues(t, 86400, answer["expiresIn"])
	token, _ := answer["token"].(string)
	_, again := login(t, server, `{"openid":"alice","userName":"Alice","roles":["admin"]}`, nil)
	require.NotEqual(t, token, again["token"], "two logins are two tokens")

	client := newClient(t, server.URL+"/dev/sso/check", func(o *sso.Options) { o.Header, o.Scheme, o.Clock = "Authorization", "Bearer", at.now })
	got, err := ask(client, token)
	require.NoError(t, err)
	require.Equal(t, "alice", got.OpenID)
	require.Equal(t, "Alice", got.Name)
	require.Equal(t, []string{"admin"}, got.Roles)
	require.Equal(t, now.Add(24*time.Hour).UnixMilli(), got.ExpiresAt.UnixMilli())

	t.Run("SurvivesARestart", func(t *testing.T) {
		other := serveDev(t, &sso.Dev{Key: dev.Key, Header: "token", Clock: at.now})
		_, err := ask(newClient(t, other.URL+"/dev/sso/check", nil), token)
		require.NoError(t, err)
	})
	t.Run("ErrForged", func(t *testing.T) {
		body, signature, _ := strings.Cut(token, ".")
		for _, forged := range []string{"x", body, body + ".", body + "." + signature[:len(signature)-2] + "AA", "e30." + signature, token + "."} {
			_, err := ask(client, forged)
			require.ErrorIs(t, err, ws.ErrInvalidToken, forged)
		}
		other := serveDev(t, &sso.Dev{Key: []byte("another key"), Header: "token", Clock: at.now})
		_, err := ask(newClient(t, other.URL+"/dev/sso/check", nil), token)
		require.ErrorIs(t, err, ws.ErrInvalidToken)
	})
	t.Run("ErrEnded", func(t *testing.T) {
		at.advance(25 * time.Hour)
		_, err := ask(client, token)
		require.ErrorIs(t, err, ws.ErrInvalidToken)
	})
}

func TestDev_Login_BadInput(t *testing.T) {
	server := serveDev(t, &sso.Dev{Key: []byte("k"), Header: "token"})
	for body, code := range map[string]string{
		`{}`:                       "missing_field",
		`{"openid":"a,b"}`:         "bad_field",
		`{"openid":7}`:             "bad_field",
		`{"openid":"a","roles":1}`: "bad_field",
		`[]`:                       "bad_json",
		`{"openid":"` + strings.Repeat("x", 70<<10) + `"}`: "bad_json",
	} {
		status, answer := login(t, server, body, nil)
		require.Equal(t, 400, status, body)
		detail, _ := answer["error"].(map[string]any)
		require.Equal(t, code, detail["code"], body)
	}
}

// TestDev_OnlyLocal: whoever is not on this machine must not even learn that there is such a thing.
func TestDev_OnlyLocal(t *testing.T) {
	dev := &sso.Dev{Key: []byte("k"), Header: "token"}
	server := serveDev(t, dev)
	for name, change := range map[string]func(*http.Request){
		"Forwarded":         func(r *http.Request) { r.Header.Set("Forwarded", "for=1.2.3.4") },
		"X-Forwarded-For":   func(r *http.Request) { r.Header.Set("X-Forwarded-For", "1.2.3.4") },
		"X-Forwarded-Proto": func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") },
		"Via":               func(r *http.Request) { r.Header.Set("Via", "1.1 proxy") },
		"X-Real-IP":         func(r *http.Request) { r.Header.Set("X-Real-IP", "1.2.3.4") },
		"X-Client-IP":       func(r *http.Request) { r.Header.Set("X-Client-IP", "1.2.3.4") },
		"True-Client-IP":    func(r *http.Request) { r.Header.Set("True-Client-IP", "1.2.3.4") },
		"CF-Connecting-IP":  func(r *http.Request) { r.Header.Set("CF-Connecting-IP", "1.2.3.4") },
		"foreign page":      func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") },
		"page of no origin": func(r *http.Request) { r.Header.Set("Origin", "null") },
		"foreign name":      func(r *http.Request) { r.Host = "rebound.example:8084" },
	} {
		status, _ := login(t, server, `{"openid":"alice"}`, change)
		require.Equal(t, 404, status, name)
	}
	status, _ := login(t, server, `{"openid":"alice"}`, func(r *http.Request) {
		r.Host = "localhost:1"
		r.Header.Set("Origin", "http://localhost:5173")
	})
	require.Equal(t, 200, status)

	for name, change := range map[string]func(*http.Request) *http.Request{
		"foreign peer": func(r *http.Request) *http.Request { r.RemoteAddr = "10.0.0.1:5"; return r },
		"foreign side": func(r *http.Request) *http.Request {
			return r.WithContext(context.WithValue(r.Context(), http.LocalAddrContextKey, address("10.0.0.2:8084")))
		},
	} {
		for path, serve := range map[string]http.HandlerFunc{"/dev/login": dev.Login, "/dev/sso/check": dev.Check} {
			request := httptest.NewRequest("POST", "http://127.0.0.1:8084"+path, strings.NewReader(`{"openid":"alice"}`))
			request.RemoteAddr = "127.0.0.1:5"
			request = request.WithContext(context.WithValue(request.Context(), http.LocalAddrContextKey, address("127.0.0.1:8084")))
			recorder := httptest.NewRecorder()
			serve(recorder, change(request))
			require.Equal(t, 404, recorder.Code, name+path)
		}
	}
}

type address string

func (address) Network() string  { return "tcp" }
func (a address) String() string { return string(a) }

func TestLoopbackHost(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LOCALHOST:80": true, "127.0.0.1": true, "127.9.9.9:80": true, "[::1]:80": true, "::1": true, "[::1]": true,
		"localhost.example": false, "127.0.0.1.example:80": false, "10.0.0.1": false, "": false, "0.0.0.0:80": false,
	} {
		require.Equal(t, want, sso.LoopbackHost(host), host)
	}
}
