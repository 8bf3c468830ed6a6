package ws

import (
	"context"
	"errors"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// maxRechecks bounds the re-checks of tokens under way; the others wait for the next tick.
	maxRechecks = 256
	// recheckTimeout bounds one of them.
	recheckTimeout = 10 * time.Second
	// firstRecheck is how soon a new session's token is checked again: whoever was banned, or lost the token, while the
	// session came to stand was rung for nobody.
	firstRecheck Millis = 1_000
	// recheckLater is how soon one that found no place is tried again.
	recheckLater Millis = 1_000
	// recheckBeat is what re-checks of many sessions keep together by, so that the ledger is asked about all of them at once.
	recheckBeat Millis = 2_000
)

// nextRecheck returns when a token that is checked now is checked again: at the first beat after RecheckEvery.
func (g *Gateway) nextRecheck(now Millis) Millis {
	every := max(millis(g.opt.RecheckEvery), 1)
	at := now + every
	if beat := min(recheckBeat, every); at%beat != 0 {
		at += beat - at%beat
	}
	return at
}

// recheck asks again whether a session's token still counts, apart from everything else: an SSO that hangs holds up
// nobody's messages.
func (g *Gateway) recheck(s *Session, token string) {
	select {
	case g.rechecks <- struct{}{}:
	default:
		s.locked(func() { s.recheckAt = g.mono() + recheckLater })
		return
	}
	g.wg.Go(func() {
		defer func() { <-g.rechecks }()
		ctx, cancel := context.WithTimeout(g.serving, recheckTimeout)
		defer cancel()
		s.guard(func() { s.recheck(ctx, token) })
	})
}

// errForbidden is what a banned user's token is refused with, by its code.
var errForbidden = protocol.NewError(protocol.Forbidden, "")

// recheck ends the session on a clear no, unless its token was renewed meanwhile.
func (s *Session) recheck(ctx context.Context, token string) {
	identity, err := s.g.opt.Authenticate(ctx, token)
	var renewed bool
	s.locked(func() { renewed = s.token != token })
	switch {
	case renewed:
	case errors.Is(err, ErrInvalidToken), err == nil && identity.OpenID != s.user:
		s.close(protocol.CloseTokenEnded, "the token has ended")
	case errors.Is(err, errForbidden):
		s.close(protocol.CloseForbidden, "not allowed any more")
	}
}
