package freeport

import (
	"net"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

func listen(t *testing.T, port int) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	require.NoError(t, err)
	return l
}

func TestTake(t *testing.T) {
	port, err := Take(-2, 0, 1)
	require.NoError(t, err)
	for range 2 { // a server that is started again
		for _, offset := range []int{-2, 0, 1} {
			require.False(t, keep(port+offset, nil), "what is kept is given to nobody")
			server := listen(t, port+offset)
			require.False(t, keep(port+offset, nil))
			require.NoError(t, server.Close())
		}
	}
	require.False(t, keep(port+3, []int{-2}), "one of two is kept")
	require.NoError(t, listen(t, port+3).Close())
	require.True(t, keep(port+3, nil), "so the other is not")
}

func TestTake_Foreign(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	port := server.Addr().(*net.TCPAddr).Port
	require.False(t, keep(port, nil), "somebody listens there")
	require.NoError(t, server.Close())
	require.True(t, keep(port, nil))
}
