package yardstick_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/yardstick"
)

func TestServe(t *testing.T) {
	defer goleak.VerifyNone(t)
	defer http.DefaultClient.CloseIdleConnections()
	ctx, cancel := context.WithCancel(context.Background())
	addr, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- yardstick.Serve(ctx, "127.0.0.1:0", func(a string) { addr <- a }) }()
	base := <-addr

	require.Equal(t, http.StatusOK, status(t, http.MethodGet, "http://"+base+"/readyz", ""))
	require.Equal(t, http.StatusBadRequest, status(t, http.MethodPost, "http://"+base+"/dev/login", "{}"))
	require.Equal(t, http.StatusOK, status(t, http.MethodPost, "http://"+base+"/dev/login", `{"openid":"a"}`))
	_, err := wire.Dial(ctx, base, "forged", "web", time.Second)
	var refused *wire.StatusError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, http.StatusUnauthorized, refused.Status)

	conn, err := wire.Dial(ctx, base, "YQph", "web", time.Second) // base64 of "a\na"
	require.NoError(t, err)
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second)))
	require.Equal(t, wire.Hello, next(t, conn).Type)
	conn.Append([]byte(`{"type":99,"params":{}}`))
	conn.Append([]byte(`nonsense`))
	conn.Append([]byte(`{"type":1,"params":{"toMessageId":"nobody","message":"x","fileType":0}}`))
	require.NoError(t, conn.Flush())
	require.Equal(t, "unknown_type", next(t, conn).Params.Code)
	require.Equal(t, "bad_json", next(t, conn).Params.Code)
	require.Equal(t, "unknown_user", next(t, conn).Params.Code)

	cancel()
	require.NoError(t, <-ended)
	_, err = conn.Next()
	require.Error(t, err)
	require.NoError(t, conn.Close())
}

func next(t *testing.T, conn *wire.Conn) wire.Frame {
	t.Helper()
	raw, err := conn.Next()
	require.NoError(t, err)
	frame, err := wire.Decode(raw)
	require.NoError(t, err)
	return frame
}

func status(t *testing.T, method, url, body string) int {
	t.Helper()
	request, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	require.NoError(t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return response.StatusCode
}
