package middleware_test

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/ws/protocol"
)

func TestTokenFilter(t *testing.T) {
	var outside []string
	w := newWorld(t, func(e *gin.Engine, log *slog.Logger) {
		e.Use(middleware.TokenFilter(), func(c *gin.Context) { outside = append(outside, c.Request.URL.RequestURI()+" "+c.Request.RequestURI) })
		e.GET("/who", middleware.RequestID(), middleware.AccessLog(log), middleware.Errors(log, nil),
			middleware.Authenticate(middleware.AuthOptions{Authenticator: sso{}}), whoami)
	})
	for query, want := range map[string]string{
		"?token=alice":                      "",
		"?token=alice&device=web":           "device=web",
		"?device=web&token=alice&v=1":       "device=web&v=1",
		"?%74oken=alice&x=%":                "x=%",
		"?token=&token=alice&token=mallory": "",
		"?token=al%69ce&mytoken=keep":       "mytoken=keep",
		"?TOKEN=alice&x=1":                  "x=1",
		"?a=1;Token=alice&x=1":              "a=1&x=1",
	} {
		status, _, body := w.call("GET", "/who"+query, handshake(nil), "")
		require.Equal(t, 200, status, query)
		require.Contains(t, body, `"openid":"alice"`, query)
		require.Contains(t, body, `"query":"`+strings.ReplaceAll(want, "&", `\u0026`)+`"`, query)
	}
	status, _, _ := w.call("GET", "/who?token=alice", nil, "")
	require.Equal(t, 401, status, "whoever can send a header has no token in a URL")
	header := handshake(map[string]string{"Sec-WebSocket-Protocol": "yanlink.v1, yanlink.token.YWxpY2U, other"})
	_, _, body := w.call("GET", "/who", header, "")
	require.Contains(t, body, `"openid":"alice"`)
	require.Contains(t, body, `"protocol":"yanlink.v1, other"`, "the token has gone, the rest is negotiated")
	for _, line := range outside {
		require.NotContains(t, line, "alice")
		require.NotContains(t, line, "mallory")
	}
	require.Contains(t, w.log.String(), "path=/who")
}

func TestErrors(t *testing.T) {
	var refused []protocol.Code
	w := newWorld(t, func(e *gin.Engine, log *slog.Logger) {
		e.Use(middleware.RequestID(), middleware.AccessLog(log), middleware.Errors(log, func(c protocol.Code) { refused = append(refused, c) }), middleware.Recovery(log))
		e.GET("/field", func(c *gin.Context) { middleware.Refuse(c, protocol.FieldError(protocol.BadField, "to", "wrong")) })
		e.GET("/busy", func(c *gin.Context) { middleware.Refuse(c, protocol.NewError(protocol.StorageUnavailable, "later")) })
		e.GET("/inner", func(c *gin.Context) { middleware.Refuse(c, errors.New("the password of the database is 123")) })
		e.GET("/panic", func(*gin.Context) { panic("a bug") })
		e.GET("/abort", func(*gin.Context) { panic(http.ErrAbortHandler) })
		e.GET("/written", func(c *gin.Context) {
			c.String(200, "fine")
			_ = c.Error(protocol.NewError(protocol.Conflict, "answered"))
		})
		e.NoRoute(middleware.NotFound)
	})
	require.Equal(t, map[string]any{"code": "bad_field", "message": "wrong", "field": "to", "requestId": "r-1"},
		w.refusal(400, "GET", "/field", map[string]string{"X-Request-Id": "r-1"}))

	_, head, body := w.call("GET", "/busy", nil, "")
	require.Equal(t, "2", head.Get("Retry-After"))
	require.Contains(t, body, `"code":"storage_unavailable"`)

	inner := w.refusal(500, "GET", "/inner", nil)
	require.Equal(t, "internal", inner["code"])
	require.NotContains(t, inner["message"], "password", "an internal text never reaches a client")
	require.Contains(t, w.log.String(), "password of the database")

	require.Equal(t, "internal", w.refusal(500, "GET", "/panic", nil)["code"])
	require.Contains(t, w.log.String(), "a bug")
	require.Contains(t, w.log.String(), "middleware_test.go", "the stack is logged")

	_, err := w.server.Client().Get(w.server.URL + "/abort")
	require.Error(t, err, "ErrAbortHandler gives the connection up")

	_, _, body = w.call("GET", "/written", nil, "")
	require.Equal(t, "fine", body)
	require.Equal(t, "not_found", w.refusal(404, "GET", "/nowhere", nil)["code"])
	require.Equal(t, []protocol.Code{"bad_field", "storage_unavailable", "internal", "internal", "conflict", "not_found"}, refused)
}

func TestRequestID(t *testing.T) {
	w := newWorld(t, func(e *gin.Engine, _ *slog.Logger) {
		e.GET("/", middleware.RequestID(), func(c *gin.Context) { c.Status(204) })
	})
	for given, kept := range map[string]bool{"abc-1.2": true, "": false, "a b": false, strings.Repeat("x", 65): false, "line\tbreak": false} {
		_, head, _ := w.call("GET", "/", map[string]string{"X-Request-Id": given}, "")
		if kept {
			require.Equal(t, given, head.Get("X-Request-Id"))
		} else {
			require.Len(t, head.Get("X-Request-Id"), 36)
		}
	}
}
