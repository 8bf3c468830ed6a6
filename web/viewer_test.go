package web_test

import (
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/web"
)

func TestHandler_Viewer(t *testing.T) {
	handler := web.Handler()
	page := get(t, handler, "/docs")
	require.Equal(t, http.StatusOK, page.Code)
	require.Equal(t, "text/html; charset=utf-8", page.Header().Get("Content-Type"))
	require.Contains(t, page.Header().Get("Content-Security-Policy"), "img-src 'self' data:")
	require.NotContains(t, get(t, handler, "/").Header().Get("Content-Security-Policy"), "data:", "the other page has none")

	for target, kind := range map[string]string{
		"/assets/swagger-ui-bundle.js": "text/javascript; charset=utf-8", "/assets/swagger-ui.css": "text/css; charset=utf-8",
	} {
		require.Contains(t, page.Body.String(), target[1:])
		plain := get(t, handler, target, "Accept-Encoding", "br, gzip;q=0")
		require.Empty(t, plain.Header().Get("Content-Encoding"), target)
		packed := get(t, handler, target, "Accept-Encoding", "br, gzip")
		require.Equal(t, "gzip", packed.Header().Get("Content-Encoding"), target)
		require.Equal(t, kind, packed.Header().Get("Content-Type"), target)
		require.NotEqual(t, plain.Header().Get("ETag"), packed.Header().Get("ETag"), target)
		require.Equal(t, http.StatusNotModified, get(t, handler, target, "Accept-Encoding", "gzip", "If-None-Match", packed.Header().Get("ETag")).Code)
		reader, err := gzip.NewReader(packed.Body)
		require.NoError(t, err, target)
		body, err := io.ReadAll(reader)
		require.NoError(t, err, target)
		require.Equal(t, plain.Body.String(), string(body), target)
	}
}

// The viewer is a megabyte and a half: it is unpacked for the first who does not take gzip, once, and not at the start.
func TestHandler_ViewerUnpacksOnce(t *testing.T) {
	const script, large = "/assets/swagger-ui-bundle.js", 1 << 20
	var handler http.Handler
	require.Less(t, allocated(func() { handler = web.Handler() }), uint64(large))
	ask := func(encoding string) uint64 {
		return allocated(func() {
			request := httptest.NewRequest(http.MethodHead, script, http.NoBody)
			request.Header.Set("Accept-Encoding", encoding)
			handler.ServeHTTP(httptest.NewRecorder(), request)
		})
	}
	require.Less(t, ask("gzip"), uint64(large))
	require.Greater(t, ask("identity"), uint64(large))
	require.Less(t, ask("identity"), uint64(large))
}

// allocated returns how many bytes the program takes while work runs.
func allocated(work func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	work()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}
