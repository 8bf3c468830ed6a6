package middleware

import (
	"crypto/sha256"
	"crypto/subtle"

	"github.com/yanlink/yanlink/ws"
)

// ServiceKey is a key by which another program is let in.
type ServiceKey struct {
	Name   string
	Key    string
	Scopes []string
}

// serviceKeys holds keys by their hash, so that comparing takes the same time whatever is shown.
type serviceKeys struct {
	hashes     [][32]byte
	identities []ws.Identity
}

func newServiceKeys(keys []ServiceKey) *serviceKeys {
	k := &serviceKeys{}
	for _, key := range keys {
		k.hashes = append(k.hashes, sha256.Sum256([]byte(key.Key)))
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
