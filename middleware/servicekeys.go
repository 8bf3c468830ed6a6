package middleware

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"strings"

	"github.com/yanlink/yanlink/ws"
)

// hashedKey begins a key that is given by its SHA-256 in hexadecimal digits, so that who reads the configuration cannot
// use it.
const hashedKey = "sha256:"

// ServiceKey is a key by which another program is let in.
type ServiceKey struct {
	Name   string
	Key    string // itself, or "sha256:" and its SHA-256 in hexadecimal digits
	Scopes []string
}

func (k *ServiceKey) hash() (hash [sha256.Size]byte) {
	digits, hashed := strings.CutPrefix(k.Key, hashedKey)
	if given, err := hex.DecodeString(digits); hashed && err == nil && len(given) == len(hash) {
		return [sha256.Size]byte(given)
	}
	return sha256.Sum256([]byte(k.Key))
}

// serviceKeys holds keys by their hash, so that comparing takes the same time whatever is shown.
type serviceKeys struct {
	hashes     [][32]byte
	identities []ws.Identity
}

func newServiceKeys(keys []ServiceKey) *serviceKeys {
	k := &serviceKeys{}
	for _, key := range keys {
		k.hashes = append(k.hashes, key.hash())
		k.identities = append(k.identities, ws.Identity{Service: key.Name, Scopes: key.Scopes})
	}
	return k
}

// find returns the identity of a key that was shown.
func (k *serviceKeys) find(shown string) (ws.Identity, bool) {
	hash := sha256.Sum256([]byte(shown))
	found := -1
	for i := range k.hashes {
		if subtle.ConstantTimeCompare(hash[:], k.hashes[i][:]) == 1 {
			found = i // and on to the last, in the same time
		}
	}
	if found < 0 {
		return ws.Identity{}, false
	}
	return k.identities[found], true
}
