package ws

import "context"

// WithIdentity returns a context whose Caller has that identity.
func WithIdentity(ctx context.Context, id Identity) context.Context {
	return withChange(ctx, func(c *Caller) { c.Identity = id })
}

// IdentityFrom returns who a request acts for; false if nobody was authenticated.
func IdentityFrom(ctx context.Context) (Identity, bool) {
	id := CallerFrom(ctx).Identity
	return id, id.OpenID != "" || id.Service != ""
}

// WithRequestID returns a context whose Caller has the id a request is known by in logs and answers.
func WithRequestID(ctx context.Context, id string) context.Context {
	return withChange(ctx, func(c *Caller) { c.RequestID = id })
}

// RequestIDFrom returns the request's id; empty if it has none.
func RequestIDFrom(ctx context.Context) string { return CallerFrom(ctx).RequestID }

// WithToken returns a context whose Caller has the token a client showed, taken out of where a log could see it.
func WithToken(ctx context.Context, token string) context.Context {
	return withChange(ctx, func(c *Caller) { c.Token = token })
}

// TokenFrom returns the token a client showed; empty if it showed none.
func TokenFrom(ctx context.Context) string { return CallerFrom(ctx).Token }

// withChange leaves the Caller of the outer context as it is: others may be reading it.
func withChange(ctx context.Context, change func(*Caller)) context.Context {
	caller := *CallerFrom(ctx)
	change(&caller)
	return WithCaller(ctx, &caller)
}
