//go:build services

package sqlstore

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// place is where the store asks the database something: a call in its own code.
type place struct {
	function, file string
	from, to       int // lines
}

func (p place) String() string { return fmt.Sprintf("%s, %s:%d", p.function, p.file, p.from) }

// asking are the functions that take a statement to the database, ours and database/sql's.
var asking = []string{"QueryContext", "QueryRowContext", "ExecContext", "query", "ask", "one", "find", "pick", "seek", "put", "remove", "exec", "last"}

// passing are those of ours that pass on what others ask.
var passing = []string{"query", "ask", "one", "find", "pick", "seek", "put", "remove", "exec", "last"}

// besides are files whose statements no node asks while it serves.
var besides = map[string]string{
	"check.go":    "reads the whole ledger, which is its purpose",
	"epoch.go":    "changes whole tables, while no node runs",
	"import.go":   "writes into an empty ledger",
	"verify.go":   "reads what an import wrote, by its keys",
	"migrate.go":  "changes the tables, at a start",
	"session.go":  "passes on what others ask",
	"text.go":     "the same",
	"batch.go":    "the same",
	"secret.go":   "makes and reads one value, at a start",
	"mysql.go":    "asks for settings and a lock, at a start",
	"postgres.go": "the same",
}

// placesOf finds every place in the package's code, so that no statement can be forgotten.
func placesOf(tb testing.TB) (places []place) {
	tb.Helper()
	files, err := filepath.Glob("*.go")
	require.NoError(tb, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") || besides[file] != "" {
			continue
		}
		set := token.NewFileSet()
		parsed, err := parser.ParseFile(set, file, nil, parser.SkipObjectResolution)
		require.NoError(tb, err)
		for _, declaration := range parsed.Decls {
			function, ok := declaration.(*ast.FuncDecl)
			if !ok || slices.Contains(passing, function.Name.Name) {
				continue
			}
			ast.Inspect(function, func(node ast.Node) bool {
				if call, ok := node.(*ast.CallExpr); ok && asks(call) {
					places = append(places, place{function.Name.Name, file, set.Position(call.Pos()).Line, set.Position(call.End()).Line})
				}
				return true
			})
		}
	}
	return places
}

// inMemory are what has methods of the same names that ask nothing: views, tuples and caches; a dialect only writes the text.
var inMemory = []string{"v", "t", "lists", "dialect"}

// asks reports whether a call takes a statement to the database.
func asks(call *ast.CallExpr) bool {
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || !slices.Contains(asking, method.Sel.Name) {
		return false
	}
	for on := method.X; ; {
		switch x := on.(type) {
		case *ast.SelectorExpr:
			if slices.Contains(inMemory, x.Sel.Name) {
				return false
			}
			on = x.X
		case *ast.Ident:
			return !slices.Contains(inMemory, x.Name)
		default:
			return true
		}
	}
}

// placeOfCaller returns which of the places the caller stands in, the innermost one; or that it is in a file besides.
func placeOfCaller(places []place) (at place, known, aside bool) {
	var callers [64]uintptr
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers[:])])
	for {
		frame, more := frames.Next()
		if strings.Contains(frame.Function, "/sqlstore.") {
			file := filepath.Base(frame.File)
			for _, p := range places {
				if p.file == file && p.from <= frame.Line && frame.Line <= p.to {
					return p, true, false
				}
			}
			aside = aside || besides[file] != ""
		}
		if !more {
			return place{}, false, aside
		}
	}
}
