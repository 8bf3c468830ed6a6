package web_test

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/web"
)

func get(t *testing.T, handler http.Handler, target string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, target, nil)
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

func TestHandler(t *testing.T) {
	handler := web.Handler()

	t.Run("Types", func(t *testing.T) {
		for target, kind := range map[string]string{
			"/":                  "text/html; charset=utf-8",
			"/?as=rose":          "text/html; charset=utf-8",
			"/assets/yanlink.js": "text/javascript; charset=utf-8",
			"/assets/style.css":  "text/css; charset=utf-8",
			"/assets/icon.svg":   "image/svg+xml",
		} {
			w := get(t, handler, target)
			require.Equal(t, http.StatusOK, w.Code, target)
			require.Equal(t, kind, w.Header().Get("Content-Type"), target)
			require.NotEmpty(t, w.Body.Bytes(), target)
		}
	})

	t.Run("Protected", func(t *testing.T) {
		for _, target := range []string{"/", "/assets/yanlink.js", "/nothing"} {
			header := get(t, handler, target).Header()
			require.Contains(t, header.Get("Content-Security-Policy"), "default-src 'none'", target)
			require.NotContains(t, header.Get("Content-Security-Policy"), "unsafe", target)
			require.Equal(t, "nosniff", header.Get("X-Content-Type-Options"), target)
			require.Equal(t, "no-referrer", header.Get("Referrer-Policy"), target)
		}
	})

	t.Run("AskedEachTime", func(t *testing.T) {
		first := get(t, handler, "/assets/yanlink.js")
		require.Equal(t, "no-cache", first.Header().Get("Cache-Control"))
		etag := first.Header().Get("ETag")
		require.Regexp(t, `^"[0-9a-f]{32}"$`, etag)
		again := get(t, handler, "/assets/yanlink.js", "If-None-Match", etag)
		require.Equal(t, http.StatusNotModified, again.Code)
		require.Empty(t, again.Body.Bytes())
		other := get(t, handler, "/assets/yanlink.js", "If-None-Match", `"other"`)
		require.Equal(t, http.StatusOK, other.Code)
		require.NotEqual(t, etag, get(t, handler, "/").Header().Get("ETag"))
	})

	t.Run("ErrNotFound", func(t *testing.T) {
		for _, target := range []string{"/nothing", "/assets/", "/assets", "/assets/../web.go", "/web.go", "/index.html", "/test/order.test.mjs"} {
			require.Equal(t, http.StatusNotFound, get(t, handler, target).Code, target)
		}
	})

	t.Run("ErrMethod", func(t *testing.T) {
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", nil))
		require.Equal(t, http.StatusMethodNotAllowed, w.Code)
		require.Equal(t, "GET, HEAD", w.Header().Get("Allow"))
	})
}

func TestHandler_BelowPrefix(t *testing.T) {
	handler := http.StripPrefix("/im", web.Handler())
	require.Equal(t, http.StatusOK, get(t, handler, "/im/").Code)
	require.Equal(t, http.StatusOK, get(t, handler, "/im/assets/yanlink.js").Code)

	w := get(t, handler, "/im?as=rose&name=Rose")
	require.Equal(t, http.StatusPermanentRedirect, w.Code)
	require.Equal(t, "./im/?as=rose&name=Rose", w.Header().Get("Location"))
}

// TestPage_Addresses finds what would break below a prefix or under the policy: absolute addresses, inline code and
// style, modules that are not there.
func TestPage_Addresses(t *testing.T) {
	handler := web.Handler()
	index := get(t, handler, "/").Body.String()
	require.NotRegexp(t, `(?i)<script(?:\s[^>]*)?>[^<]|<style|\son[a-z]+=|\sstyle=`, index)
	for _, match := range regexp.MustCompile(`(?:src|href)="([^"]+)"`).FindAllStringSubmatch(index, -1) {
		require.Regexp(t, `^(assets/|#|\?)`, match[1])
		if strings.HasPrefix(match[1], "assets/") {
			require.Equal(t, http.StatusOK, get(t, handler, "/"+match[1]).Code, match[1])
		}
	}

	modules, err := filepath.Glob("assets/*.js")
	require.NoError(t, err)
	require.NotEmpty(t, modules)
	modules = append(modules, "yanlink.js")
	imports := regexp.MustCompile(`(?m)^(?:import|export)\s[^;]*?from\s+"([^"]+)"`)
	for _, module := range modules {
		text, err := os.ReadFile(module)
		require.NoError(t, err)
		require.NotRegexp(t, `(?i)(inner|outer)HTML|insertAdjacentHTML|document\.write|\beval\(|new Function`, string(text), module)
		for _, match := range imports.FindAllStringSubmatch(string(text), -1) {
			require.True(t, strings.HasPrefix(match[1], "./"), "%s imports %s", module, match[1])
			require.Equal(t, http.StatusOK, get(t, handler, "/assets/"+match[1][2:]).Code, "%s imports %s", module, match[1])
		}
	}
}

// TestClient_Size holds the client to what a page can afford.
func TestClient_Size(t *testing.T) {
	text, err := os.ReadFile("yanlink.js")
	require.NoError(t, err)
	var packed bytes.Buffer
	w, err := gzip.NewWriterLevel(&packed, gzip.BestCompression)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	require.Less(t, packed.Len(), 11<<10, "gzipped")
	require.NotRegexp(t, `(?m)^import\s|\bimport\(|innerHTML`, string(text), "it is copied as one file")
}

func TestHandler_Vary(t *testing.T) {
	answer := httptest.NewRecorder()
	answer.Header().Set("Vary", "Origin") // of a middleware before it
	request := httptest.NewRequest(http.MethodGet, "/assets/swagger-ui.css", http.NoBody)
	web.Handler().ServeHTTP(answer, request)
	require.Equal(t, []string{"Origin", "Accept-Encoding"}, answer.Header().Values("Vary"))
}
