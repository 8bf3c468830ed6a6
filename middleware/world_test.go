package middleware_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestMain(m *testing.M) {
	gin.SetMode(gin.TestMode)
	os.Exit(m.Run())
}

// world is a server with the middleware under test and what its log says.
type world struct {
	t      *testing.T
	engine *gin.Engine
	server *httptest.Server
	log    *wstest.Log
}

func newWorld(t *testing.T, routes func(*gin.Engine, *slog.Logger)) *world {
	t.Helper()
	w := &world{t: t, engine: gin.New(), log: wstest.NewLog(t)}
	routes(w.engine, w.log.Logger())
	w.server = httptest.NewServer(w.engine)
	t.Cleanup(w.server.Close)
	return w
}

// call makes a request and returns its status, header and body.
func (w *world) call(method, path string, header map[string]string, body string) (int, http.Header, string) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, w.server.URL+path, bytes.NewBufferString(body))
	require.NoError(w.t, err)
	for name, value := range header {
		request.Header.Set(name, value)
	}
	response, err := w.server.Client().Do(request)
	require.NoError(w.t, err)
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	require.NoError(w.t, err)
	return response.StatusCode, response.Header, string(text)
}

// refusal makes a request that has to be refused and returns its error body.
func (w *world) refusal(status int, method, path string, header map[string]string) map[string]any {
	w.t.Helper()
	got, head, text := w.call(method, path, header, "")
	require.Equal(w.t, status, got, text)
	var body map[string]map[string]any
	require.NoError(w.t, json.Unmarshal([]byte(text), &body), text)
	require.Equal(w.t, head.Get("X-Request-Id"), body["error"]["requestId"])
	return body["error"]
}

// handshake is a header that asks for a WebSocket as well.
func handshake(header map[string]string) map[string]string {
	asks := map[string]string{"Connection": "Upgrade", "Upgrade": "websocket"}
	maps.Copy(asks, header)
	return asks
}

// whoami answers with who the middleware says is calling.
func whoami(c *gin.Context) {
	caller := ws.CallerFrom(c.Request.Context())
	c.JSON(http.StatusOK, gin.H{
		"openid": caller.Identity.OpenID, "service": caller.Identity.Service, "scopes": caller.Identity.Scopes, "token": caller.Token,
		"query": c.Request.URL.RawQuery, "uri": c.Request.RequestURI, "protocol": c.GetHeader("Sec-WebSocket-Protocol"),
	})
}
