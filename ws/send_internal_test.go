package ws

import (
	"hash/crc64"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestContentHash_IsTheStoredOneAtAnyLength(t *testing.T) {
	for _, length := range []int{0, 1, 7, 63, 64, 128, plainlyHashed - 1, plainlyHashed, plainlyHashed + 1, 3 * plainlyHashed} {
		body := strings.Repeat("über\x00 alles ", length/8+1)[:length]
		want := crc64.Checksum(append([]byte{3}, body...), crc64.MakeTable(crc64.ECMA))
		assert.Equal(t, want, contentHash(&Draft{Body: body, FileType: 3}), "%d bytes", length)
	}
	// What ledgers hold already.
	assert.Equal(t, uint64(0x995dc9bbdf1939fa), contentHash(&Draft{Body: "23456789", FileType: '1'}), "CRC-64/XZ's check value")
}
