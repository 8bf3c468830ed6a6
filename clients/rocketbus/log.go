package rocketbus

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
)

// clientLog takes what the client library logs. Its log belongs to the whole process.
type clientLog struct {
	to atomic.Pointer[slog.Logger]
}

var (
	log     clientLog
	logOnce sync.Once
)

var _ rlog.Logger = (*clientLog)(nil)

// logTo sends what the client logs to l from now on. It has to be called before anything is made of the client.
func logTo(l *slog.Logger) {
	log.to.Store(l.With("library", "rocketmq-client-go"))
	logOnce.Do(func() {
		rlog.SetLogger(&log)
		primitive.DefaultPanicHandler = func(cause any) {
			log.to.Load().Error("the RocketMQ client panicked", "panic", fmt.Sprint(cause))
		}
	})
}

// Debug implements rlog.Logger.
func (c *clientLog) Debug(msg string, fields map[string]any) { c.log(slog.LevelDebug, msg, fields) }

// Info implements rlog.Logger. The client tells everything it does; nothing of it is news to an operator.
func (c *clientLog) Info(msg string, fields map[string]any) { c.log(slog.LevelDebug, msg, fields) }

// Warning implements rlog.Logger. The client warns of each attempt; what comes of them, this package says.
func (c *clientLog) Warning(msg string, fields map[string]any) { c.log(slog.LevelInfo, msg, fields) }

// Error implements rlog.Logger. A bus that is dead is no error of the node, which delivers without it.
func (c *clientLog) Error(msg string, fields map[string]any) { c.log(slog.LevelWarn, msg, fields) }

// Fatal implements rlog.Logger.
func (c *clientLog) Fatal(msg string, fields map[string]any) { c.log(slog.LevelWarn, msg, fields) }

// Level implements rlog.Logger. The logger it goes to has a level.
func (c *clientLog) Level(string) {}

// OutputPath implements rlog.Logger. The logger it goes to has a place.
func (c *clientLog) OutputPath(string) error { return nil }

func (c *clientLog) log(level slog.Level, msg string, fields map[string]any) {
	l := c.to.Load()
	if !l.Enabled(context.Background(), level) {
		return
	}
	attrs := make([]slog.Attr, 0, len(fields))
	for name, value := range fields {
		if attr, ok := loggable(name, value); ok {
			attrs = append(attrs, attr)
		}
	}
	l.LogAttrs(context.Background(), level, msg, attrs...)
}

// loggable leaves out what is more than a word or a number: the client logs whole messages, with their bodies.
func loggable(name string, value any) (slog.Attr, bool) {
	switch v := value.(type) {
	case string:
		return slog.String(name, v), true
	case error:
		return slog.String(name, v.Error()), true
	case bool:
		return slog.Bool(name, v), true
	case int, int16, int32, int64, uint32, uint64, float64:
		return slog.Any(name, v), true
	}
	return slog.Attr{}, false
}
