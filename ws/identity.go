package ws

import (
	"context"
	"errors"
	"slices"
	"time"
)

// Identity is who a request or a session acts for. It comes from the SSO's answer, or from the configuration for a service
// key, and from nowhere else.
type Identity struct {
	OpenID    string // empty for a service key
	Name      string
	Roles     []string
	IssuedAt  time.Time // zero: not told
	ExpiresAt time.Time // zero: not told
	// Service is the name of the service key that was used; empty for a person.
	Service string
	// Scopes are what a service key may do: send, read, admin.
	Scopes []string
}

// HasScope reports whether the identity is a service key with that scope.
func (id *Identity) HasScope(scope string) bool {
	return id.Service != "" && slices.Contains(id.Scopes, scope)
}

// Credentials are what a client showed.
type Credentials struct {
	Token string
}

// The two ways an Authenticator fails. Any other error counts as ErrCannotTell.
var (
	// ErrInvalidToken says that the token is bad, unknown or ended: 401.
	ErrInvalidToken = errors.New("the token is not valid")
	// ErrCannotTell says that nobody could be asked: 503 for a new token, and a known one goes on.
	ErrCannotTell = errors.New("the SSO cannot be asked now")
)

// Authenticator turns credentials into an identity. Implementations are safe for concurrent use and return errors that
// wrap ErrInvalidToken or ErrCannotTell.
type Authenticator interface {
	Authenticate(ctx context.Context, c Credentials) (Identity, error)
}
