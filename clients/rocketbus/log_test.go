package rocketbus

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"testing"

	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/rlog"
	"github.com/stretchr/testify/require"
)

func TestClientLog(t *testing.T) {
	var out bytes.Buffer
	logTo(slog.New(slog.NewTextHandler(&out, nil)).With("component", "bus"))
	rlog.Info("told", nil)
	require.Empty(t, out.String(), "what the client does is no news")
	rlog.Warning("wrong", map[string]any{"error": errors.New("broken"), "queue": 3, "topic": "websocketn"})
	for _, part := range []string{"level=INFO", "msg=wrong", "error=broken", "queue=3", "topic=websocketn", "library="} {
		require.Contains(t, out.String(), part)
	}
	require.Equal(t, 1, strings.Count(out.String(), "component="))

	var next bytes.Buffer
	logTo(slog.New(slog.NewTextHandler(&next, nil)))
	rlog.Error("broken", nil)
	rlog.Fatal("broken", nil)
	require.Equal(t, 2, strings.Count(next.String(), "level=WARN"), "a dead bus is no error of the node")
	primitive.WithRecover(func() { panic("of the client") })
	require.Contains(t, next.String(), "of the client")
}

// The client logs whole messages when it could not be rid of them.
func TestClientLog_NoBodies(t *testing.T) {
	var out bytes.Buffer
	logTo(slog.New(slog.NewTextHandler(&out, nil)))
	msg := &primitive.MessageExt{Message: primitive.Message{Body: []byte("a secret")}}
	rlog.Warning("dropped", map[string]any{
		"message": []*primitive.MessageExt{msg}, rlog.LogKeyMessages: msg, "one": msg.Message.Body,
	})
	require.Contains(t, out.String(), "dropped")
	require.NotContains(t, out.String(), "secret")
}
