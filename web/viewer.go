package web

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"

	"github.com/swaggest/swgui/v5/static"
)

// viewerPolicy is the policy of the page that shows the REST interface: the viewer's pictures stand in its style sheet.
var viewerPolicy = strings.Replace(policy, "img-src 'self'", "img-src 'self' data:", 1)

// viewer names the files of Swagger UI that the page at "/docs" loads, which are embedded as gzip.
var viewer = []string{"swagger-ui-bundle.js", "swagger-ui.css"}

// loadViewer reads the viewer's files into pages.
func loadViewer(pages map[string]*file) error {
	for _, name := range viewer {
		packed, err := static.FS.ReadFile(name + ".gz")
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		page, err := newFile(name, packed)
		if err != nil {
			return err
		}
		page.packed = packed
		// Hardly anybody asks for it unpacked, and it would be most of what a start allocates.
		page.body = sync.OnceValue(func() []byte { return unpack(name, packed) })
		pages["/assets/"+name] = page
	}
	return nil
}

// takesGzip reports whether the asker takes gzip.
func takesGzip(r *http.Request) bool {
	for name := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if name = strings.TrimSpace(name); name == "gzip" || strings.HasPrefix(name, "gzip;") && !strings.HasSuffix(name, "q=0") {
			return true
		}
	}
	return false
}

// unpack returns what gzip holds. It panics if that is broken: the files are part of the program.
func unpack(name string, packed []byte) []byte {
	reader, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		panic(fmt.Errorf("unpack %s: %w", name, err))
	}
	body, err := io.ReadAll(reader)
	if err != nil {
		panic(fmt.Errorf("unpack %s: %w", name, err))
	}
	return body
}
