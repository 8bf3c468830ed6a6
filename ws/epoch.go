package ws

import (
	"crypto/sha256"
	"encoding/binary"
)

// epochBits are those of a client's epoch that count the ledger's epochs.
const epochBits = 20

// shownEpoch is the ledger's epoch as clients are told it. In each ledger it is another number: what a client remembers of a ledger that
// was thrown away is void in the next one, which begins with the same numbers. It stays below 2^53, up to where JavaScript counts.
func shownEpoch(store Store) uint64 {
	secret := store.Secret()
	sum := sha256.Sum256(append([]byte("epoch "), secret[:]...))
	return uint64(binary.BigEndian.Uint32(sum[:]))<<epochBits + store.Info().Epoch
}
