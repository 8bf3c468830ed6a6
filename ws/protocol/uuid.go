package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"math/rand/v2"
)

// uuidDashes are the places of the dashes in the text of a UUID.
var uuidDashes = [...]int{8, 13, 18, 23}

// NewRequestID returns a random UUID of version 4. It names a request in frames and logs and is no secret, so that it
// comes from the fast generator of math/rand, which is seeded by the system for each process and safe for concurrent use.
func NewRequestID() (id [16]byte) {
	binary.BigEndian.PutUint64(id[:8], rand.Uint64())
	binary.BigEndian.PutUint64(id[8:], rand.Uint64())
	id[6] = id[6]&0x0F | 0x40
	id[8] = id[8]&0x3F | 0x80
	return id
}

// AppendUUID appends id as 36 characters in lower case, with dashes.
func AppendUUID(dst []byte, id [16]byte) []byte {
	dst = hex.AppendEncode(dst, id[:4])
	for _, part := range [...][]byte{id[4:6], id[6:8], id[8:10], id[10:]} {
		dst = hex.AppendEncode(append(dst, '-'), part)
	}
	return dst
}

// ParseRequestID reads what AppendUUID writes, of any version, in lower or upper case.
func ParseRequestID(s string) (id [16]byte, ok bool) {
	if len(s) != 36 {
		return id, false
	}
	for _, at := range uuidDashes {
		if s[at] != '-' {
			return id, false
		}
	}
	digits := s[:8] + s[9:13] + s[14:18] + s[19:23] + s[24:]
	if _, err := hex.Decode(id[:], []byte(digits)); err != nil {
		return [16]byte{}, false
	}
	return id, true
}
