package ws

import "context"

// Caller is who a request comes from, as the middleware found out and the handlers need it.
type Caller struct {
	Identity  Identity
	Token     string // that was shown; empty for a service key
	RequestID string // of the HTTP request; stands in error bodies and in the log

	// Charge counts a call as n more of them for its caller's limit, which it may leave in debt; nil: there is none.
	Charge func(n int)
}

// callerKey is the context key of a Caller.
type callerKey struct{}

// WithCaller returns a context that carries who the request comes from.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerFrom returns what WithCaller put into the context; an empty Caller if nothing was.
func CallerFrom(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}
