package wstest

import (
	"bytes"
	"log/slog"
	"strings"
	"sync"
	"testing"

	"github.com/yanlink/yanlink/ws/wstest/secrets"
)

// TokenMark may begin the tokens of tests. No line of a Log may hold it.
const TokenMark = "secret-of-"

// Log keeps all that a test's servers log, and fails the test at its end if a line holds a token. It is safe for
// concurrent use.
type Log struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// NewLog returns an empty Log. What is cleaned up later than here is not looked at: make it before the server.
func NewLog(t testing.TB) *Log {
	t.Helper()
	l := &Log{}
	t.Cleanup(func() {
		if err := secrets.Check(strings.NewReader(l.String()), TokenMark); err != nil {
			t.Error(err)
		}
	})
	return l
}

// Logger returns a logger of everything, debug included.
func (l *Log) Logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{Level: slog.LevelDebug}))
}

// Write implements io.Writer.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

// String returns what was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
