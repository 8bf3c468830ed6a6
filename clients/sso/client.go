// Package sso asks a single sign-on service whose token a client shows.
//
// Client makes the call: one GET with the token in a header. Cache stands before it (or before any other
// ws.Authenticator) and remembers answers by a hash of the token, so that a storm of reconnects is one call per token.
//
// Concurrency: both are safe for concurrent use and start no goroutine of their own besides a call's.
// Invariants: no token is ever logged or part of an error.
package sso

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/go-resty/resty/v2"
	"github.com/sony/gobreaker/v2"
	"golang.org/x/sync/semaphore"

	"github.com/yanlink/yanlink/ws"
)

const (
	maxToken  = 8 << 10  // bytes of a token that are worth a call
	maxAnswer = 64 << 10 // bytes of an answer

	breakAfter = 10              // failures in a row after which nobody is asked
	breakFor   = 5 * time.Second // for this long
)

// Options are the settings of a Client.
type Options struct {
	URL           string        // required
	Header        string        // that carries the token; required
	Scheme        string        // word before the token; empty for none
	Fields        Fields        // where the answer holds what
	Timeout       time.Duration // of one call, waiting for a place among MaxConcurrent included; required
	MaxConcurrent int           // calls under way at one time; required
	Log           *slog.Logger  // default: discard
	Clock         ws.Clock      // default time.Now
}

// Client is a ws.Authenticator that asks an SSO endpoint over HTTP.
type Client struct {
	opt     Options
	http    *resty.Client
	pool    *http.Transport
	places  *semaphore.Weighted
	breaker *gobreaker.CircuitBreaker[ws.Identity]
}

var _ ws.Authenticator = (*Client)(nil)

// New builds a Client. It connects to nothing until it is asked.
func New(opt Options) *Client {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Clock == nil {
		opt.Clock = time.Now
	}
	c := &Client{opt: opt, places: semaphore.NewWeighted(int64(opt.MaxConcurrent))}
	c.pool = &http.Transport{
		Proxy:               http.ProxyFromEnvironment,
		MaxIdleConnsPerHost: opt.MaxConcurrent,
		IdleConnTimeout:     30 * time.Second,
		ForceAttemptHTTP2:   true,
	}
	c.http = resty.New().
		SetTransport(c.pool).
		SetCookieJar(nil). // one user's cookie must not travel with the next one's token
		SetTimeout(opt.Timeout).
		SetResponseBodyLimit(maxAnswer).
		SetRedirectPolicy(resty.NoRedirectPolicy()). // a redirect would carry the token to whoever it names
		SetLogger(silent{}).
		SetHeader("Accept", "application/json")
	c.breaker = gobreaker.NewCircuitBreaker[ws.Identity](gobreaker.Settings{
		Name:        "sso",
		Timeout:     breakFor,
		ReadyToTrip: func(n gobreaker.Counts) bool { return n.ConsecutiveFailures >= breakAfter },
		IsSuccessful: func(err error) bool {
			return err == nil || errors.Is(err, ws.ErrInvalidToken) || errors.Is(err, errRejected) || errors.Is(err, context.Canceled)
		},
		OnStateChange: func(_ string, from, to gobreaker.State) {
			opt.Log.Warn("the way to the SSO changed", "from", from.String(), "to", to.String())
		},
	})
	return c
}

// Authenticate asks the SSO. Its errors wrap ws.ErrInvalidToken or ws.ErrCannotTell.
func (c *Client) Authenticate(ctx context.Context, credentials ws.Credentials) (ws.Identity, error) {
	if !sendable(credentials.Token) {
		return ws.Identity{}, fmt.Errorf("%w: it cannot stand in a header", ws.ErrInvalidToken)
	}
	ctx, cancel := context.WithTimeout(ctx, c.opt.Timeout)
	defer cancel()
	if err := c.places.Acquire(ctx, 1); err != nil {
		return ws.Identity{}, fmt.Errorf("%w: too many checks are under way", ws.ErrCannotTell)
	}
	defer c.places.Release(1)
	identity, err := c.breaker.Execute(func() (ws.Identity, error) { return c.ask(ctx, credentials.Token) })
	switch {
	case err == nil:
		return identity, nil
	case errors.Is(err, ws.ErrInvalidToken):
		return ws.Identity{}, err
	}
	return ws.Identity{}, fmt.Errorf("%w: %w", ws.ErrCannotTell, err)
}

// Reachable reports whether the SSO answered lately, or nothing is known to the contrary.
func (c *Client) Reachable() bool { return c.breaker.State() == gobreaker.StateClosed }

// Close closes idle connections.
func (c *Client) Close() { c.pool.CloseIdleConnections() }

func (c *Client) ask(ctx context.Context, token string) (ws.Identity, error) {
	value := token
	if c.opt.Scheme != "" {
		value = c.opt.Scheme + " " + token
	}
	answer, err := c.http.R().SetContext(ctx).SetHeader(c.opt.Header, value).Get(c.opt.URL)
	if err != nil {
		return ws.Identity{}, err
	}
	switch status := answer.StatusCode(); status {
	case http.StatusOK:
		return c.opt.Fields.read(answer.Body(), c.opt.Clock())
	case http.StatusUnauthorized, http.StatusForbidden:
		return ws.Identity{}, ws.ErrInvalidToken
	default:
		if rejected(status) {
			return ws.Identity{}, fmt.Errorf("%w %d", errRejected, status)
		}
		return ws.Identity{}, fmt.Errorf("it answered with status %d", status)
	}
}

// errRejected is an SSO that is well and takes this call for wrong: whoever shows garbage must not lock the others out.
var errRejected = errors.New("it rejected the call with status")

// rejected reports whether a status tells of the call, and not of an SSO in trouble.
func rejected(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests:
		return false
	}
	return status >= 400 && status < 500
}

// sendable reports whether a token can stand in a header as it is.
func sendable(token string) bool {
	if token == "" || len(token) > maxToken {
		return false
	}
	for i := range len(token) {
		if token[i] < ' ' || token[i] > '~' {
			return false
		}
	}
	return true
}

// silent keeps resty from writing to standard error: what matters comes back as an error.
type silent struct{}

func (silent) Errorf(string, ...any) {}
func (silent) Warnf(string, ...any)  {}
func (silent) Debugf(string, ...any) {}
