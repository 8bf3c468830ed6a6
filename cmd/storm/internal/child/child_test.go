package child

import (
	"context"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// TestMain makes the test binary a server of its own when a Server starts it.
func TestMain(m *testing.M) {
	address := os.Getenv("YANLINK_SERVER_LISTEN")
	switch {
	case len(os.Args) > 1 && os.Args[1] == "check-store":
		if _, err := os.Stat(filepath.Join(os.Args[2], "broken")); err == nil {
			println("conversation 1 has a hole at 7")
			os.Exit(1)
		}
	case address != "":
		serve(address)
	default:
		os.Exit(m.Run())
	}
}

func serve(address string) {
	mux := http.NewServeMux()
	mux.HandleFunc("/readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("/pid", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(strconv.Itoa(os.Getpid()))) })
	mux.HandleFunc("/die", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	server := &http.Server{Addr: address, Handler: mux, ReadHeaderTimeout: time.Minute}
	term := make(chan os.Signal, 1)
	signal.Notify(term, syscall.SIGTERM)
	go func() {
		<-term
		_ = server.Close()
	}()
	_ = server.ListenAndServe()
}

func mustServer(t *testing.T) *Server {
	t.Helper()
	server, err := New(os.Args[0], t.TempDir())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, server.Close()) })
	return server
}

func get(t *testing.T, url string) error {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	require.NoError(t, err)
	resp, err := http.DefaultClient.Do(req)
	if err == nil {
		_ = resp.Body.Close()
	}
	return err
}

func TestServer_KillAndStop(t *testing.T) {
	server := mustServer(t)
	for range 3 {
		require.NoError(t, server.Start(t.Context()))
		require.NoError(t, server.Alive())
		require.NoError(t, get(t, server.URL()+"/pid"))
		require.NoError(t, server.Kill())
		require.Error(t, get(t, server.URL()+"/pid"))
	}
	require.NoError(t, server.Start(t.Context()))
	require.NoError(t, server.Stop())
	require.Error(t, server.Kill())
	require.NoError(t, server.Check(t.Context()))
}

func TestServer_Alive(t *testing.T) {
	server := mustServer(t)
	require.NoError(t, server.Start(t.Context()))
	require.Error(t, get(t, server.URL()+"/die"))
	var err error
	require.Eventually(t, func() bool { err = server.Alive(); return err != nil }, 20*time.Second, time.Millisecond)
	require.ErrorContains(t, err, "exit status 3")
}

func TestServer_Check(t *testing.T) {
	server := mustServer(t)
	require.NoError(t, os.Mkdir(server.Data(), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(server.Data(), "broken"), nil, 0o600))
	require.ErrorContains(t, server.Check(t.Context()), "hole at 7")
}

func TestServer_StartGivesUp(t *testing.T) {
	server, err := New("/bin/false", t.TempDir())
	require.NoError(t, err)
	require.ErrorContains(t, server.Start(t.Context()), "before it was ready")
	require.NoError(t, server.Close())

	server = mustServer(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.ErrorContains(t, server.Start(ctx), "not ready")
}
