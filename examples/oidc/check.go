package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/zitadel/oidc/v3/pkg/client"
	"github.com/zitadel/oidc/v3/pkg/client/rp"
	"github.com/zitadel/oidc/v3/pkg/client/rs"
	"github.com/zitadel/oidc/v3/pkg/oidc"
	"github.com/zitadel/oidc/v3/pkg/op"
)

// errInvalid is a token that counts for nothing; every other error means that nobody can tell.
var errInvalid = errors.New("the token is not valid")

// settings say whose tokens are taken.
type settings struct {
	issuer       string // of the tokens, and where /.well-known/openid-configuration is
	audience     string // the tokens have to be meant for it
	clientID     string // by which we may ask whether a token was revoked
	clientSecret string
	timeout      time.Duration // of each call to the provider
}

// person is whose a token is, in the form in which Yanlink reads it.
type person struct {
	OpenID    string   `json:"openid"`
	UserName  string   `json:"userName"`
	Roles     []string `json:"roles,omitempty"`
	IssuedAt  int64    `json:"issuedAt"`  // epoch seconds
	ExpiresAt int64    `json:"expiresAt"` // epoch seconds
}

// checker checks access tokens of one provider. It is safe for concurrent use.
type checker struct {
	settings
	signature *op.AccessTokenVerifier
	provider  rs.ResourceServer
}

// newChecker asks the provider where its keys and its introspection are.
func newChecker(ctx context.Context, s settings) (*checker, error) {
	calls := &http.Client{Timeout: s.timeout}
	found, err := client.Discover(ctx, s.issuer, calls)
	if err != nil {
		return nil, fmt.Errorf("discover %s: %w", s.issuer, err)
	}
	provider, err := rs.NewResourceServerClientCredentials(ctx, s.issuer, s.clientID, s.clientSecret, rs.WithClient(calls),
		rs.WithStaticEndpoints(found.TokenEndpoint, found.IntrospectionEndpoint))
	if err != nil {
		return nil, err
	}
	keys := rp.NewRemoteKeySet(calls, found.JwksURI)
	return &checker{settings: s, signature: op.NewAccessTokenVerifier(found.Issuer, keys), provider: provider}, nil
}

// check says whose a token is. What can be told from the token itself comes first: signature, issuer, time, audience.
// Whether it was revoked only the provider knows.
func (c *checker) check(ctx context.Context, token string) (person, error) {
	claims, err := op.VerifyAccessToken[*oidc.AccessTokenClaims](ctx, token, c.signature)
	switch {
	case err != nil && keysMissing(err):
		return person{}, fmt.Errorf("fetch the provider's keys: %w", err)
	case err != nil:
		return person{}, fmt.Errorf("%w: %w", errInvalid, err)
	}
	if err := oidc.CheckAudience(claims, c.audience); err != nil {
		return person{}, fmt.Errorf("%w: %w", errInvalid, err)
	}
	answer, err := rs.Introspect[*oidc.IntrospectionResponse](ctx, c.provider, token)
	switch {
	case err != nil:
		return person{}, fmt.Errorf("ask the provider: %w", err)
	case !answer.Active:
		return person{}, fmt.Errorf("%w: it was revoked", errInvalid)
	}
	name, _ := claims.Claims["name"].(string)
	return person{
		OpenID: claims.Subject, UserName: name, Roles: texts(claims.Claims["roles"]),
		IssuedAt: claims.IssuedAt.AsTime().Unix(), ExpiresAt: claims.Expiration.AsTime().Unix(),
	}, nil
}

// keysMissing tells a signature that is wrong from one that could not be looked at, since the keys cannot be fetched:
// the library calls both invalid. That must not end anybody's session.
func keysMissing(err error) bool {
	return errors.Is(err, oidc.ErrSignatureInvalid) && !errors.Is(err, jose.ErrCryptoFailure) &&
		!errors.Is(err, oidc.ErrKeyNone) && !errors.Is(err, oidc.ErrKeyMultiple)
}

func texts(value any) []string {
	var found []string
	items, _ := value.([]any)
	for _, item := range items {
		if text, ok := item.(string); ok {
			found = append(found, text)
		}
	}
	return found
}

// ServeHTTP is what sso.url points at: the token in the header "token"; 200, 401, or 503 when nobody can tell.
func (c *checker) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	found, err := c.check(r.Context(), r.Header.Get("token"))
	switch {
	case errors.Is(err, errInvalid):
		w.WriteHeader(http.StatusUnauthorized)
	case err != nil:
		slog.WarnContext(r.Context(), "a token cannot be checked", "error", err) // never the token
		w.WriteHeader(http.StatusServiceUnavailable)
	default:
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(found) // whoever asked has gone
	}
}
