// Package provider is an OpenID Connect provider to try with: the one that comes with the library
// github.com/zitadel/oidc as its example, with people, applications and roles of our own. It keeps everything in memory
// and is for loopback only.
package provider

import (
	"context"
	"net/http"
	"time"

	"github.com/zitadel/oidc/v3/example/server/exampleop"
	"github.com/zitadel/oidc/v3/example/server/storage"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// Applications that may ask for tokens. The audience of a token is the application that asked for it.
const (
	Chat  = "chat"  // the application whose tokens Yanlink takes
	Other = "other" // one whose tokens it does not take
	// Secret is the secret of each of them.
	Secret = "a-secret-to-try-with"
	// Callback is where a login returns to, with the code.
	Callback = "http://127.0.0.1:9999/callback"
)

// Password is everybody's password.
const Password = "open sesame"

// people by their openid.
var people = map[string]*storage.User{
	"248289761001": {ID: "248289761001", Username: "ann", Password: Password, FirstName: "Ann", LastName: "Archer", IsAdmin: true},
	"248289761002": {ID: "248289761002", Username: "ben", Password: Password, FirstName: "Ben", LastName: "Baker"},
}

// New returns a provider that calls itself by issuer, the URL at which it is served. Its access tokens are signed (JWT)
// and hold for lifetime, at most five minutes.
func New(issuer string, lifetime time.Duration) http.Handler {
	clients := make(map[string]*storage.Client)
	for _, id := range []string{Chat, Other} {
		clients[id] = storage.WebClient(id, Secret, Callback)
	}
	kept := &memory{Storage: storage.NewStorageWithClients(users{}, clients), lifetime: lifetime}
	return exampleop.SetupServer(issuer, kept, nil, false)
}

// users is the library's view of people.
type users struct{}

func (users) ExampleClientID() string { return "" }

func (users) GetUserByID(id string) *storage.User { return people[id] }

func (users) GetUserByUsername(name string) *storage.User {
	for _, user := range people {
		if user.Username == name {
			return user
		}
	}
	return nil
}

// memory is the library's storage, with signed tokens, roles in them, and a lifetime.
type memory struct {
	*storage.Storage
	lifetime time.Duration
}

func (m *memory) CreateAccessToken(ctx context.Context, request op.TokenRequest) (string, time.Time, error) {
	id, end, err := m.Storage.CreateAccessToken(ctx, request)
	if sooner := time.Now().Add(m.lifetime); sooner.Before(end) {
		end = sooner
	}
	return id, end, err
}

func (m *memory) GetClientByClientID(ctx context.Context, id string) (op.Client, error) {
	client, err := m.Storage.GetClientByClientID(ctx, id)
	if err != nil {
		return nil, err
	}
	return signed{client}, nil
}

// GetPrivateClaimsFromScopes says what stands in a signed token besides the usual.
func (m *memory) GetPrivateClaimsFromScopes(_ context.Context, user, _ string, _ []string) (map[string]any, error) {
	claims := map[string]any{"roles": []string{"staff"}}
	if found := people[user]; found != nil {
		claims["name"] = found.FirstName + " " + found.LastName
		if found.IsAdmin {
			claims["roles"] = []string{"staff", "admin"}
		}
	}
	return claims, nil
}

// signed is an application that gets signed tokens.
type signed struct{ op.Client }

func (signed) AccessTokenType() op.AccessTokenType { return op.AccessTokenTypeJWT }
