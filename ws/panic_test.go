package ws_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// faultyMetrics panics once, when it is armed and a record is pushed in a certain way: that is under the session's lock.
type faultyMetrics struct {
	ws.NoMetrics
	path  ws.Path
	armed atomic.Bool
}

func (m *faultyMetrics) Pushed(path ws.Path) {
	if path == m.path && m.armed.CompareAndSwap(true, false) {
		panic("boom")
	}
}

func (m *faultyMetrics) start(t *testing.T, change func(*ws.Options)) *node {
	n := startNode(t, func(o *ws.Options) {
		o.Metrics, o.ResendAfter = m, time.Hour
		o.ReconcileEvery = time.Hour // it would bring what the dispatcher owes
		if change != nil {
			change(o)
		}
	})
	n.known("jack")
	return n
}

func (c *client) requireFault() {
	c.t.Helper()
	code, _ := c.closed()
	require.Equal(c.t, protocol.CloseFault, code)
}

// A fault while the dispatcher holds a session's lock ends that session; who comes behind it gets the record all the same.
func TestGateway_PanicUnderTheLock_Dispatcher(t *testing.T) {
	faulty := &faultyMetrics{path: ws.PathLocal}
	n := faulty.start(t, nil)
	rose, first, second := n.connect("rose", "web"), n.connect("jack", "a"), n.connect("jack", "b")
	rose.send("jack", "one", "m1")
	first.expect(2)
	second.expect(2)
	faulty.armed.Store(true)
	rose.send("jack", "two", "m2")
	first.requireFault()
	require.Equal(t, "two", second.expect(2).p.Message)
	back := n.connect("jack", "a")
	back.expect(2)
	require.Equal(t, "two", back.expect(2).p.Message)
	rose.send("jack", "three", "m3")
	require.Equal(t, "three", second.expect(2).p.Message)
}

func TestGateway_PanicUnderTheLock_CatchUp(t *testing.T) {
	faulty := &faultyMetrics{path: ws.PathLedger}
	n := faulty.start(t, nil)
	rose := n.connect("rose", "web")
	rose.send("jack", "one", "m1")
	faulty.armed.Store(true)
	jack, _, err := n.dial("jack", "&v=1&device=a")
	require.NoError(t, err)
	jack.requireFault() // which may overtake the hello
	require.Equal(t, "one", n.connect("jack", "a").expect(2).p.Message)
}

func TestGateway_PanicUnderTheLock_Wheel(t *testing.T) {
	faulty := &faultyMetrics{path: ws.PathResend}
	n := faulty.start(t, func(o *ws.Options) { o.ResendAfter = 100 * time.Millisecond })
	rose, jack := n.connect("rose", "web"), n.connect("jack", "a")
	faulty.armed.Store(true)
	rose.send("jack", "one", "m1")
	jack.expect(2)
	jack.requireFault()
	require.Equal(t, "one", n.connect("jack", "a").expect(2).p.Message)
}

// TestSession_LocksAreDeferred: no fault leaves a session locked, for which dispatcher, hub and reconciler would wait for ever.
func TestSession_LocksAreDeferred(t *testing.T) {
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	found := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		set := token.NewFileSet()
		file, err := parser.ParseFile(set, name, nil, 0)
		require.NoError(t, err)
		ast.Inspect(file, func(node ast.Node) bool {
			block, ok := node.(*ast.BlockStmt)
			if !ok {
				return true
			}
			for i, statement := range block.List {
				if expression, ok := statement.(*ast.ExprStmt); !ok || !callsLock(expression.X, "Lock") {
					continue
				}
				found++
				var next ast.Stmt
				if i+1 < len(block.List) {
					next = block.List[i+1]
				}
				deferred, ok := next.(*ast.DeferStmt)
				require.True(t, ok && callsLock(deferred.Call, "Unlock"), "%s: defer s.mu.Unlock(), or use s.locked", set.Position(statement.Pos()))
			}
			return true
		})
	}
	require.NotZero(t, found)
}

// callsLock reports whether an expression is s.mu.Lock(), or what name is; s is a session in all of this package.
func callsLock(expression ast.Expr, name string) bool {
	call, ok := expression.(*ast.CallExpr)
	if !ok {
		return false
	}
	method, ok := call.Fun.(*ast.SelectorExpr)
	if !ok || method.Sel.Name != name {
		return false
	}
	mu, ok := method.X.(*ast.SelectorExpr)
	if !ok || mu.Sel.Name != "mu" {
		return false
	}
	of, ok := mu.X.(*ast.Ident)
	return ok && of.Name == "s"
}
