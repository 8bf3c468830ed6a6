package doctest

import (
	"context"
	"encoding/json"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
)

// node brings Node.js as the page's own tests do.
var node = sync.OnceValues(func() (string, error) {
	if _, err := exec.Command(filepath.Join(root, "web", "e2e", "install.sh"), "node").CombinedOutput(); err != nil {
		return "", err
	}
	return exec.LookPath("node")
})

var moduleScript = regexp.MustCompile(`(?s)<script type="module">\n(.*?)</script>`)

// checkScript holds that the script of a page is one; a browser test runs it.
func checkScript(t *testing.T, b *block) {
	t.Helper()
	found := moduleScript.FindStringSubmatch(b.text)
	require.NotNil(t, found, "%s: the page has no script", b)
	file := filepath.Join(t.TempDir(), "script.mjs")
	require.NoError(t, os.WriteFile(file, []byte(found[1]), 0o600))
	program, err := node()
	require.NoError(t, err)
	said, err := exec.CommandContext(t.Context(), program, "--check", file).CombinedOutput()
	require.NoError(t, err, "%s: %s", b, said)
}

var who = regexp.MustCompile(`\bme: "(\w+)"`)

// uses are functions of an application that scripts call but do not show; each has to be called.
var uses = regexp.MustCompile(`\b(fetchToken|show|banner|tick|doubleTick|Notification)\(`)

// runScript runs a script as a page under /im would, against a server: it has to connect, and to get what another one
// sends, acknowledge and read it; see testdata/page.mjs.
func runScript(t *testing.T, b *block) {
	t.Helper()
	me := who.FindStringSubmatch(b.text)
	require.NotNil(t, me, "%s: the script does not say who it is", b)
	file := filepath.Join(t.TempDir(), "block.mjs")
	require.NoError(t, os.WriteFile(file, []byte(b.text), 0o600))
	client, err := filepath.Abs(filepath.Join(root, "web", "yanlink.js"))
	require.NoError(t, err)
	program, err := node()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), program, "--experimental-websocket", "testdata/page.mjs", client, file, serveBundle(t), me[1])
	said, err := cmd.Output()
	require.NoError(t, err, "%s: %s %v", b, said, err)
	var did struct {
		Received, Delivered bool
		Called              []string
	}
	require.NoError(t, json.Unmarshal(said, &did), "%s", said)
	require.True(t, did.Received, "%s got nothing", b)
	require.True(t, did.Delivered, "%s acknowledged nothing", b)
	for _, use := range uses.FindAllStringSubmatch(b.text, -1) {
		require.True(t, slices.Contains(did.Called, use[1]), "%s did not call %s", b, use[1])
	}
}

// serveBundle serves a bundle under /im and returns the address of a page there.
func serveBundle(t *testing.T) string {
	t.Helper()
	gin.SetMode(gin.TestMode)
	cfg := configs.Default()
	cfg.Store.Dir = t.TempDir()
	cfg.Messages.UnknownUsers = "store"
	cfg.Drain = configs.Drain{Spread: time.Millisecond, Timeout: patience}
	server := httptest.NewUnstartedServer(nil)
	cfg.Node.Advertise = server.Listener.Addr().String()
	bundle, err := app.New(cfg, app.WithDevSSO())
	require.NoError(t, err)
	router := gin.New()
	bundle.Mount(router.Group("/im"))
	server.Config.Handler = router
	require.NoError(t, bundle.Start(t.Context()))
	server.Start()
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience) // the test's own has ended by now
		defer cancel()
		require.NoError(t, bundle.Stop(ctx))
		server.Close()
	})
	return server.URL + "/im/"
}
