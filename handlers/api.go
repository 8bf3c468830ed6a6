// Package handlers is the HTTP side of the bundle: the WebSocket endpoint, the REST API and the health checks, as Gin
// handlers on an Engine.
//
// Who a request acts for is read from its context, where the authentication middleware put it (ws.Caller); the
// handlers decide what that identity may do. Every refusal has the one shape and status of package protocol.
//
// # Concurrency
//
// An API has no state of its own: its handlers may run at any number of goroutines.
package handlers

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
)

// callTimeout bounds one REST call where nothing else is said. It is longer than a commit may take, so that the engine's
// own answer comes first.
const callTimeout = 15 * time.Second

// Options are the settings of an API.
type Options struct {
	AdminRoles []string // roles of the SSO that count as administrator; none: nobody is one by role
	BodyBytes  int64    // largest request body; 0: 1 MiB
	Tickets    Tickets  // required
	Open       []Route  // of ForAnybody, besides the API's own: pages, say
	// CallTimeout bounds one REST call, but not a read of its body, which a context does not end; 0: 15 s.
	CallTimeout time.Duration
	// QueryTimeout bounds one that only reads, where it is shorter; 0: it has as long as any other.
	QueryTimeout time.Duration
}

// API holds the handlers.
type API struct {
	engine Engine
	opt    Options
}

// New returns the handlers for an engine.
func New(engine Engine, opt Options) *API {
	if opt.BodyBytes <= 0 {
		opt.BodyBytes = 1 << 20
	}
	if opt.CallTimeout <= 0 {
		opt.CallTimeout = callTimeout
	}
	if opt.QueryTimeout <= 0 {
		opt.QueryTimeout = opt.CallTimeout
	}
	return &API{engine: engine, opt: opt}
}

// Mount adds the routes of the table to r and returns its rows. authenticate runs before whatever is not open to anybody and puts the identity
// into the request's context, or aborts; callLimit runs behind it before each call of the API. connectLimit runs before it on /ws alone, so that a storm of connects does not
// become one of calls to the SSO.
func (a *API) Mount(r gin.IRouter, authenticate, callLimit gin.HandlerFunc, connectLimit ...gin.HandlerFunc) []Access {
	connect := append([]gin.HandlerFunc{upgradeOnly}, connectLimit...)
	connect = append(connect, a.admit, authenticate)
	call := []gin.HandlerFunc{private, authenticate, callLimit}
	routes := a.routes()
	for _, route := range routes {
		switch {
		case route.open != nil:
			r.Handle(route.Method, route.Path, route.open)
		case strings.HasPrefix(route.Path, apiPath), strings.HasPrefix(route.Path, pushPath):
			r.Handle(route.Method, route.Path, slices.Concat(call, []gin.HandlerFunc{bounded(a.timeout(route)), a.handle(route)})...)
		default:
			r.Handle(route.Method, route.Path, slices.Concat(connect, []gin.HandlerFunc{a.handle(route)})...)
		}
	}
	return rowsOf(routes)
}

// handle serves a route to those who may and answers what that fails with.
func (a *API) handle(route Route) gin.HandlerFunc {
	return func(c *gin.Context) {
		who, err := callerOf(c)
		if err == nil {
			err = a.permit(&route.Access, who)
		}
		if err == nil {
			err = route.serve(c, who)
		}
		if err != nil {
			fail(c, err)
		}
	}
}

// private keeps answers out of every cache, since they are one person's and old in a second, and from being taken for
// anything but what they say they are.
func private(c *gin.Context) {
	c.Header("Cache-Control", "no-store")
	c.Header("X-Content-Type-Options", "nosniff")
}

// timeout is how long a call may take.
func (a *API) timeout(route Route) time.Duration {
	if route.Reads {
		return min(a.opt.QueryTimeout, a.opt.CallTimeout)
	}
	return a.opt.CallTimeout
}

// bounded gives the call a deadline.
func bounded(timeout time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), timeout)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

// list is a page of anything; Next is empty at the end, else what to pass back as cursor.
type list[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// page writes a list, never null.
func page[T any](c *gin.Context, items []T, next string) error {
	if items == nil {
		items = []T{}
	}
	c.JSON(http.StatusOK, list[T]{Items: items, Next: next})
	return nil
}
