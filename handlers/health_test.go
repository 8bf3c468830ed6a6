package handlers_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/ws"
)

// deadline is the latest that a test waits for.
func deadline() time.Time { return time.Now().Add(patience) }

// ill is an engine in a given state of health.
type ill struct {
	handlers.Engine
	health ws.Health
}

func (e ill) Health(context.Context) ws.Health { return e.health }

func TestReady(t *testing.T) {
	for _, c := range []struct {
		health ws.Health
		status int
		body   string
	}{
		{ws.Health{Status: "starting"}, 503, `{"status":"starting"}`},
		{ws.Health{Ready: true, Status: "ok", Dependencies: map[string]string{"ledger": "ok"}}, 200, `{"status":"ok","dependencies":{"ledger":"ok"}}`},
		{ws.Health{Ready: true, Status: "degraded", Dependencies: map[string]string{"sso": "timeout"}}, 200, `{"status":"degraded","dependencies":{"sso":"timeout"}}`},
		{ws.Health{Status: "draining"}, 503, `{"status":"draining"}`},
	} {
		t.Run(c.health.Status, func(t *testing.T) {
			router := gin.New()
			handlers.New(ill{health: c.health}, handlers.Options{}).Mount(router, authenticate, new(door).counts)
			for path, want := range map[string]struct {
				status int
				body   string
			}{"/readyz": {c.status, c.body}, "/healthz": {200, `{"status":"ok"}`}} {
				w := httptest.NewRecorder()
				router.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, http.NoBody))
				require.Equal(t, want.status, w.Code, path)
				require.JSONEq(t, want.body, w.Body.String(), path)
				w = httptest.NewRecorder()
				router.ServeHTTP(w, httptest.NewRequest(http.MethodHead, path, http.NoBody))
				require.Equal(t, want.status, w.Code, "HEAD %s", path)
			}
		})
	}
}

func TestReady_OfAGateway(t *testing.T) {
	d := openDoor(t, nil)
	a := d.get("", "/readyz")
	require.Equal(t, http.StatusOK, a.status)
	require.Equal(t, map[string]any{"status": "ok", "dependencies": map[string]any{"ledger": "ok"}}, a.object)
	d.gateway.Drain()
	require.Equal(t, http.StatusServiceUnavailable, d.get("", "/readyz").status)
	require.Equal(t, http.StatusOK, d.get("", "/healthz").status)
}
