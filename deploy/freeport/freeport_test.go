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
	port, err := Take(-2, 1)
	require.NoError(t, err)
	for _, kept := range []int{port - 2, port, port + 1} {
		for range 2 { // a server that is started again
			require.False(t, keep(kept), "what is kept is given to nobody")
			server := listen(t, kept)
			require.False(t, keep(kept))
			require.NoError(t, server.Close())
		}
	}
}

func TestKeep_AllOrNone(t *testing.T) {
	server, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	held := server.Addr().(*net.TCPAddr).Port
	second, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	free := second.Addr().(*net.TCPAddr).Port
	require.NoError(t, second.Close())
	require.False(t, keep(free, held), "somebody listens on one of them")
	require.NoError(t, server.Close())
	require.True(t, keep(free, held), "and so none was kept")
}
