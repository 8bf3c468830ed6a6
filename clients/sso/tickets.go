package sso

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// ticketPrefix tells a ticket from a token of the SSO.
	ticketPrefix = "yanlink.ticket."
	// ticketTimeout bounds one call to where tickets are kept.
	ticketTimeout = 2 * time.Second
)

// TicketStore keeps what belongs to a ticket, by the ticket's SHA-256. It is safe for concurrent use.
type TicketStore interface {
	// Put keeps a value for as long.
	Put(ctx context.Context, hash [32]byte, value []byte, life time.Duration) error
	// Take returns the value and forgets it in the same step: of many who take at once, one gets it. Nil if there is none.
	Take(ctx context.Context, hash [32]byte) ([]byte, error)
}

// Tickets issues one-use stand-ins for tokens, for those who have to put one where it may be seen, as in a URL. What is
// kept of a ticket opens only with the ticket itself: whoever reads the store finds no token.
type Tickets struct {
	store TicketStore
	life  time.Duration
}

// NewTickets issues tickets that hold for life.
func NewTickets(store TicketStore, life time.Duration) *Tickets { return &Tickets{store, life} }

// Issue returns a ticket that stands for a token once, and how long it holds.
func (t *Tickets) Issue(ctx context.Context, token string) (ticket string, life time.Duration, err error) {
	ticket = ticketPrefix + rand.Text()
	seal, err := ticketSeal(ticket)
	if err != nil {
		return "", 0, err
	}
	ctx, cancel := context.WithTimeout(ctx, ticketTimeout)
	defer cancel()
	if err := t.store.Put(ctx, sha256.Sum256([]byte(ticket)), seal.Seal(nil, nil, []byte(token), nil), t.life); err != nil {
		return "", 0, &protocol.Error{Code: protocol.Overloaded, Message: "no ticket can be issued now; use the token itself, or try again", Cause: err}
	}
	return ticket, t.life, nil
}

// Redeem returns the token that a ticket stands for, the first time; what is no ticket, it returns as it is. Its errors
// wrap ws.ErrInvalidToken or ws.ErrCannotTell.
func (t *Tickets) Redeem(ctx context.Context, shown string) (token string, err error) {
	if !strings.HasPrefix(shown, ticketPrefix) {
		return shown, nil
	}
	ctx, cancel := context.WithTimeout(ctx, ticketTimeout)
	defer cancel()
	sealed, err := t.store.Take(ctx, sha256.Sum256([]byte(shown)))
	switch {
	case err != nil:
		return "", fmt.Errorf("%w: %w", ws.ErrCannotTell, err)
	case sealed == nil:
		return "", fmt.Errorf("%w: the ticket was used, or its time is over", ws.ErrInvalidToken)
	}
	seal, err := ticketSeal(shown)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ws.ErrCannotTell, err)
	}
	plain, err := seal.Open(nil, nil, sealed, nil)
	if err != nil {
		return "", fmt.Errorf("%w: what is kept of the ticket was not made by it", ws.ErrInvalidToken)
	}
	return string(plain), nil
}

// ticketSeal is what a ticket's token is sealed with: its key comes from the ticket, of which the store has the hash only.
func ticketSeal(ticket string) (cipher.AEAD, error) {
	key, err := hkdf.Key(sha256.New, []byte(ticket), nil, "yanlink ticket", 32)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
