package ws

import (
	"context"
	"errors"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// maxRechecks bounds the re-checks of tokens under way; the others wait for the next tick.
	maxRechecks = 32
	// recheckTimeout bounds one of them.
	recheckTimeout = 10 * time.Second
	// recheckLater is how soon one that found no place is tried again.
	recheckLater Millis = 1_000
)

// recheck asks again whether a session's token still counts, apart from everything else: an SSO that hangs holds up
// nobody's messages.
func (g *Gateway) recheck(s *Session, token string) {
	select {
	case g.rechecks <- struct{}{}:
	default:
		s.mu.Lock()
		s.recheckAt = g.mono() + recheckLater
		s.mu.Unlock()
		return
	}
	g.wg.Go(func() {
		defer func() { <-g.rechecks }()
		ctx, cancel := context.WithTimeout(g.serving, recheckTimeout)
		defer cancel()
		s.guard(func() { s.recheck(ctx, token) })
	})
}

// recheck ends the session on a clear no, unless its token was renewed meanwhile.
func (s *Session) recheck(ctx context.Context, token string) {
	identity, err := s.g.opt.Authenticate(ctx, token)
	s.mu.Lock()
	renewed := s.token != token
	s.mu.Unlock()
	switch {
	case renewed:
	case errors.Is(err, ErrInvalidToken), err == nil && identity.OpenID != s.user:
		s.close(protocol.CloseTokenEnded, "the token has ended")
	case errors.Is(err, protocol.NewError(protocol.Forbidden, "")):
		s.close(protocol.CloseForbidden, "not allowed any more")
	}
}
