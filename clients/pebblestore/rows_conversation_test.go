package pebblestore

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func TestDecodeStays(t *testing.T) {
	stays := []ws.Stay{{Conversation: 7, User: "bob", Joined: 1, Left: 4, Role: ws.Owner, Delivered: 3, Read: 2, ReadAt: 1704162492912}, {Conversation: 7, User: "bob", Joined: 9}}
	t.Run("OK", func(t *testing.T) {
		got, err := decodeStays("bob", 7, encodeStays(nil, stays))
		require.NoError(t, err)
		require.Equal(t, stays, got)
	})
	t.Run("WithoutTimesOfReading", func(t *testing.T) {
		got, err := decodeStays("bob", 7, []byte{1, 2, 1, 4, byte(ws.Owner), 3, 2, 9, 0, 0, 0, 0})
		require.NoError(t, err)
		want := []ws.Stay{stays[0], stays[1]}
		want[0].ReadAt = 0
		require.Equal(t, want, got)
	})
	t.Run("ErrCorrupt", func(t *testing.T) {
		_, err := decodeStays("bob", 7, []byte{3, 0})
		require.ErrorIs(t, err, errCorrupt)
	})
}
