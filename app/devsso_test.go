package app_test

import (
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
)

func login(t *testing.T, base, openid string) string {
	t.Helper()
	status, body := call(t, "POST", base+"/dev/login", "", `{"openid":"`+openid+`","userName":"`+strings.ToUpper(openid)+`"}`)
	require.Equal(t, 200, status, body)
	var answer struct{ Token string }
	require.NoError(t, json.Unmarshal([]byte(body), &answer))
	return answer.Token
}

func TestDevSSO(t *testing.T) {
	cfg := testConfig(t)
	cfg.SSO.Header, cfg.SSO.Scheme = "Authorization", "Bearer" // also the one a client uses; they must not mix
	h := newHost(t, cfg, app.WithDevSSO())
	token := login(t, h.base, "alice")
	dial(t, h.base, token)
	status, body := call(t, "GET", h.base+"/api/v1/me", token, "")
	require.Equal(t, 200, status)
	require.Contains(t, body, `"userName":"ALICE"`)
	status, _ = call(t, "GET", h.base+"/api/v1/me", token+"x", "")
	require.Equal(t, 401, status)
	status, body = call(t, "GET", h.base+"/", "", "")
	require.Equal(t, 200, status, "the page comes along")
	require.Contains(t, body, "<!doctype html>")
	require.Contains(t, h.log.String(), "/im/dev/sso/check", "checks go over our own listener")
	h.stop()

	key, err := os.Stat(filepath.Join(cfg.Store.Dir, "dev-sso.key"))
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), key.Mode().Perm())

	t.Run("TokensSurviveARestart", func(t *testing.T) {
		h := newHost(t, cfg, app.WithDevSSO())
		dial(t, h.base, token)
		status, _ := call(t, "GET", h.base+"/api/v1/me", token, "")
		require.Equal(t, 200, status)
		h.stop()
	})
	t.Run("ErrDamagedKey", func(t *testing.T) {
		require.NoError(t, os.WriteFile(filepath.Join(cfg.Store.Dir, "dev-sso.key"), []byte("short"), 0o600))
		_, err := app.New(cfg, app.WithDevSSO())
		require.ErrorContains(t, err, "damaged; remove the file")
	})
}

func TestDevSSO_AtTheRoot(t *testing.T) {
	bundle, err := app.New(testConfig(t), app.WithDevSSO())
	require.NoError(t, err)
	router := gin.New()
	router.GET("/", func(c *gin.Context) { c.String(http.StatusOK, "the host's own") })
	bundle.Mount(router)
	require.NoError(t, bundle.Start(t.Context()))
	base := httpServer(t, router)
	token := login(t, base, "alice")
	status, _ := call(t, "GET", base+"/api/v1/me", token, "")
	require.Equal(t, 200, status)
	_, body := call(t, "GET", base+"/", "", "")
	require.Equal(t, "the host's own", body)
	require.NoError(t, bundle.Stop(t.Context()))
}

func TestDevSSO_LoopbackOrigins(t *testing.T) {
	h := newHost(t, testConfig(t), app.WithDevSSO())
	for origin, want := range map[string]int{"http://localhost:5173": 101, "http://127.0.0.1:1": 101, "https://evil.example": 403} {
		require.Equal(t, want, upgradeStatus(t, h.base, login(t, h.base, "alice"), origin), origin)
	}
}
