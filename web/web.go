// Package web holds the demo page and the JavaScript client, embedded in the program.
//
// The page is plain HTML, CSS and ES modules, served as they stand in the folder: there is no build step. All its
// addresses are relative, so that it works wherever the bundle is mounted.
//
// "?as=rose&name=Rose" logs in directly where the development login is mounted, "&with=will" opens a conversation. A second
// tab of the same person shares the connection of the first; a phone is a device of its own beside the desk, and either can
// sign the other out. Without the development login the page asks for a token.
//
// The client is an npm package too, which README.md describes: this folder, of which package.json names the files.
package web

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"time"
)

//go:embed index.html docs.html assets yanlink.js
var files embed.FS

// moved names what is served elsewhere than it stands: the client is a package of its own, and the page's modules import
// it as their neighbour.
var moved = map[string]string{"index.html": "", "docs.html": "docs", "yanlink.js": "assets/yanlink.js"}

// policy lets the page load what we serve and talk to where it came from, and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// types names the types of what is embedded. The host's own table is not asked: it differs between machines, and a
// module of a wrong type is not run.
var types = map[string]string{
	".html": "text/html; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".svg":  "image/svg+xml",
}

// file is one embedded file as it is answered.
type file struct {
	name   string
	body   func() []byte
	packed []byte // the same as gzip; nil where it is not kept
	kind   string
	etag   string
}

// Handler serves the page at "/", one that shows the REST interface at "/docs", and what they load at "/assets/…". It expects paths relative to where it is mounted;
// below a prefix, wrap it in http.StripPrefix, where the prefix without its slash is sent on to the one with it.
// It never changes and is safe for concurrent use.
func Handler() http.Handler {
	pages, err := load()
	if err != nil {
		panic(err) // the files are part of the program: this cannot happen in one that passed its tests
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		protect(w.Header(), r.URL.Path)
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "only GET and HEAD", http.StatusMethodNotAllowed)
			return
		}
		if r.URL.Path == "" {
			redirectToSlash(w, r)
			return
		}
		page, ok := pages[r.URL.Path]
		if !ok {
			http.Error(w, "not found", http.StatusNotFound)
			return
		}
		page.serve(w, r)
	})
}

// serve answers with the file, or with 304 if the asker has it.
func (f *file) serve(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", f.kind)
	w.Header().Set("ETag", f.etag)
	// no-cache means: keep it, but ask each time. After an upgrade no page runs with half of its modules old.
	w.Header().Set("Cache-Control", "no-cache")
	http.ServeContent(w, r, f.name, time.Time{}, bytes.NewReader(f.choose(w.Header(), r)))
}

// choose returns the form of the file that the asker takes, and says in header which it is.
func (f *file) choose(header http.Header, r *http.Request) []byte {
	if f.packed == nil {
		return f.body()
	}
	header.Add("Vary", "Accept-Encoding")
	if !takesGzip(r) {
		return f.body()
	}
	header.Set("Content-Encoding", "gzip")
	header.Set("ETag", strings.TrimSuffix(f.etag, `"`)+`-gzip"`)
	return f.packed
}

func protect(header http.Header, path string) {
	header.Set("Content-Security-Policy", policy)
	if path == "/docs" {
		header.Set("Content-Security-Policy", viewerPolicy)
	}
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer") // the page's address may name a person
	header.Set("Cross-Origin-Opener-Policy", "same-origin")
}

// redirectToSlash sends "/im" on to "/im/", without which the relative addresses of the page would miss. The target is
// relative too, since only the browser knows what stands before our path.
func redirectToSlash(w http.ResponseWriter, r *http.Request) {
	asked, _, _ := strings.Cut(r.RequestURI, "?")
	target := "./" + path.Base(asked) + "/"
	if r.URL.RawQuery != "" {
		target += "?" + r.URL.RawQuery
	}
	w.Header().Set("Location", target)
	w.WriteHeader(http.StatusPermanentRedirect)
}

// load reads what is embedded, by the path it is served at.
func load() (map[string]*file, error) {
	pages := make(map[string]*file)
	err := fs.WalkDir(files, ".", func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		page, err := read(name)
		if err != nil {
			return err
		}
		if target, elsewhere := moved[name]; elsewhere {
			name = target
		}
		pages["/"+name] = page
		return nil
	})
	if err == nil {
		err = loadViewer(pages)
	}
	if err != nil {
		return nil, fmt.Errorf("load the page: %w", err)
	}
	return pages, nil
}

func read(name string) (*file, error) {
	body, err := files.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	return newFile(name, body)
}

// newFile is a file that holds body.
func newFile(name string, body []byte) (*file, error) {
	kind, ok := types[path.Ext(name)]
	if !ok {
		return nil, fmt.Errorf("no content type for %s", name)
	}
	sum := sha256.Sum256(body)
	return &file{name: name, body: func() []byte { return body }, kind: kind, etag: `"` + hex.EncodeToString(sum[:16]) + `"`}, nil
}
