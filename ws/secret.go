package ws

import (
	"crypto/rand"
	"fmt"
	"io"
)

// Secret is what all nodes of a ledger know and nobody else does: by it a node recognizes what another one has given out, or
// itself before a restart. It prints as a word, itself and in what shows it; what hides it in a field of its own must not be printed.
type Secret [32]byte

// NewSecret makes a secret that nobody can guess.
func NewSecret() (s Secret) {
	_, _ = rand.Read(s[:]) // never fails
	return s
}

const hidden = "(secret)"

// Format implements fmt.Formatter, for every verb.
func (Secret) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, hidden) }

// MarshalText implements encoding.TextMarshaler, by which loggers and JSON write it.
func (Secret) MarshalText() ([]byte, error) { return []byte(hidden), nil }

// Secret returns the ledger's secret.
func (g *Gateway) Secret() Secret { return g.store.Secret() }
