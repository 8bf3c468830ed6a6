package ws_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// However a secret is printed, nothing of it is seen.
func TestSecret_Hidden(t *testing.T) {
	secret := ws.NewSecret()
	inside := struct{ Secret ws.Secret }{secret}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		require.Equal(t, "(secret)", fmt.Sprintf(verb, secret), verb)
		require.Equal(t, "(secret)", fmt.Sprintf(verb, &secret), verb)
		require.Contains(t, fmt.Sprintf(verb, inside), "(secret)}", verb)
	}
	text, err := json.Marshal(inside)
	require.NoError(t, err)
	require.JSONEq(t, `{"Secret":"(secret)"}`, string(text))
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("look", "what", secret)
	}
	require.Contains(t, log.String(), "what=(secret)")
	require.Contains(t, log.String(), `"what":"(secret)"`)
}
