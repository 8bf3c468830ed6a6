package middleware_test

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// sso lets everybody in under the token's own name, except for a few.
type sso struct{}

func (sso) Authenticate(_ context.Context, c ws.Credentials) (ws.Identity, error) {
	switch c.Token {
	case "bad":
		return ws.Identity{}, fmt.Errorf("%w: unknown", ws.ErrInvalidToken)
	case "down":
		return ws.Identity{}, fmt.Errorf("%w: dial tcp 10.0.0.1", ws.ErrCannotTell)
	case "odd":
		return ws.Identity{}, errors.New("an error without a type")
	case "banned":
		return ws.Identity{}, protocol.NewError(protocol.Forbidden, "this user is banned")
	}
	return ws.Identity{OpenID: c.Token}, nil
}

// sealedKey is the key sealed-key-0123456 as a configuration may hold it.
const sealedKey = "sha256:cffc8cdb817603be0c2fe01b6d70c1f768811efc28215098aa1d390e3f6efae9"

func newAuthWorld(t *testing.T) *world {
	t.Helper()
	return newWorld(t, func(e *gin.Engine, log *slog.Logger) {
		e.Use(middleware.TokenFilter(), middleware.RequestID(), middleware.AccessLog(log), middleware.Errors(log, nil))
		e.Use(middleware.Authenticate(middleware.AuthOptions{
			Authenticator: sso{}, Cookie: "sid",
			AllowOrigin: func(origin, _ string) bool { return origin == "https://ours.example" },
			ServiceKeys: []middleware.ServiceKey{
				{Name: "orders", Key: "orders-key-0123456", Scopes: []string{"send"}},
				{Name: "ops", Key: "ops-key-0123456789", Scopes: []string{"admin", "read"}},
				{Name: "sealed", Key: sealedKey, Scopes: []string{"read"}},
			},
		}))
		e.GET("/who", whoami)
	})
}

func TestAuthenticate_Token(t *testing.T) {
	w := newAuthWorld(t)
	encoded := base64.RawURLEncoding.EncodeToString([]byte("alice"))
	for name, header := range map[string]map[string]string{
		"bearer":   {"Authorization": "Bearer alice"},
		"lower":    {"Authorization": "bearer alice"},
		"cookie":   {"Cookie": "sid=alice"},
		"ours":     {"Cookie": "sid=alice", "Origin": "https://ours.example"},
		"protocol": handshake(map[string]string{"Sec-WebSocket-Protocol": "yanlink.v1, yanlink.token." + encoded}),
		"padded":   handshake(map[string]string{"Sec-WebSocket-Protocol": "yanlink.token." + encoded + "="}),
	} {
		_, _, body := w.call("GET", "/who", header, "")
		require.Contains(t, body, `"openid":"alice"`, name)
		require.Contains(t, body, `"token":"alice"`, name)
	}
	_, _, body := w.call("GET", "/who?token=bob", handshake(map[string]string{"Authorization": "Basic YTpi", "Cookie": "sid=alice"}), "")
	require.Contains(t, body, `"openid":"bob"`, "a cookie is the last resort")
}

func TestAuthenticate_Refused(t *testing.T) {
	w := newAuthWorld(t)
	for _, refused := range []struct {
		header map[string]string
		status int
		code   string
	}{
		{nil, 401, "unauthorized"},
		{map[string]string{"Authorization": "Bearer bad"}, 401, "unauthorized"},
		{map[string]string{"Authorization": "Bearer "}, 401, "unauthorized"},
		{map[string]string{"Sec-WebSocket-Protocol": "yanlink.token.%%%"}, 401, "unauthorized"},
		{map[string]string{"Authorization": "Bearer banned"}, 403, "forbidden"},
		{map[string]string{"Authorization": "Bearer down"}, 503, "sso_unavailable"},
		{map[string]string{"Authorization": "Bearer odd"}, 503, "sso_unavailable"},
		{map[string]string{"Cookie": "sid=alice", "Origin": "https://evil.example"}, 403, "forbidden"},
		{map[string]string{"X-API-Key": "orders-key-012345"}, 401, "unauthorized"},
		{map[string]string{"X-API-Key": "nonsense", "Authorization": "Bearer alice"}, 401, "unauthorized"},
		{map[string]string{"X-API-Key": sealedKey}, 401, "unauthorized"},
	} {
		got := w.refusal(refused.status, "GET", "/who", refused.header)
		require.Equal(t, refused.code, got["code"], refused.header)
		require.NotContains(t, got["message"], "10.0.0.1")
	}
	_, head, _ := w.call("GET", "/who", nil, "")
	require.Equal(t, "Bearer", head.Get("WWW-Authenticate"))
	_, head, _ = w.call("GET", "/who", map[string]string{"Authorization": "Bearer down"}, "")
	require.NotEmpty(t, head.Get("Retry-After"))
	require.NotContains(t, w.log.String(), "Bearer")
}

func TestAuthenticate_ServiceKey(t *testing.T) {
	w := newAuthWorld(t)
	_, _, body := w.call("GET", "/who", map[string]string{"X-API-Key": "orders-key-0123456"}, "")
	require.Contains(t, body, `"service":"orders"`)
	require.Contains(t, body, `"scopes":["send"]`)
	_, _, body = w.call("GET", "/who", map[string]string{"X-API-Key": "ops-key-0123456789"}, "")
	require.Contains(t, body, `"service":"ops"`)
	require.Contains(t, body, `"openid":""`)
	_, _, body = w.call("GET", "/who", map[string]string{"X-API-Key": "sealed-key-0123456"}, "")
	require.Contains(t, body, `"service":"sealed"`)
}

func TestAuthenticate_Refusals(t *testing.T) {
	asked := 0
	refusing := func(perSecond float64) *world {
		return newWorld(t, func(e *gin.Engine, log *slog.Logger) {
			require.NoError(t, e.SetTrustedProxies([]string{"127.0.0.1"}))
			e.Use(middleware.RequestID(), middleware.Errors(log, nil), middleware.Authenticate(middleware.AuthOptions{
				Authenticator: sso{}, RefusalsPerSecond: perSecond,
				Redeem: func(_ context.Context, shown string) (string, error) { asked++; return shown, nil },
			}))
			e.GET("/who", whoami)
		})
	}
	from := func(w *world, address, header, shown string) (int, string) {
		status, head, _ := w.call("GET", "/who", map[string]string{"X-Forwarded-For": address, header: shown}, "")
		return status, head.Get("Retry-After")
	}
	for header, shown := range map[string]string{"Authorization": "Bearer bad", "X-API-Key": "a-guess", "X-None": ""} {
		w := refusing(0.05)
		for range 3 {
			status, _ := from(w, "10.0.0.1", "Authorization", "Bearer alice")
			require.Equal(t, 200, status, "who is let in costs nothing")
			status, _ = from(w, "10.0.0.1", "Authorization", "Bearer down")
			require.Equal(t, 503, status, "nor does what nobody can tell")
		}
		status, _ := from(w, "10.0.0.1", header, shown)
		require.Equal(t, 401, status)
		before := asked
		status, after := from(w, "10.0.0.1", "Authorization", "Bearer bad")
		require.Equal(t, 429, status)
		require.Contains(t, []string{"20", "19"}, after, "the next one is 20 s away")
		require.Equal(t, before, asked, "nobody is asked")
		status, _ = from(w, "10.0.0.2", "Authorization", "Bearer bad")
		require.Equal(t, 401, status, "one address is not another")
	}
	w := refusing(0)
	for range 5 {
		status, _ := from(w, "10.0.0.1", "Authorization", "Bearer bad")
		require.Equal(t, 401, status)
	}
}
