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
	"time"

	"github.com/gin-gonic/gin"
)

// callTimeout bounds one REST call. It is longer than a commit may take, so that the engine's own answer comes first.
const callTimeout = 15 * time.Second

// Options are the settings of an API.
type Options struct {
	AdminRoles []string // roles of the SSO that count as administrator; none: nobody is one by role
	BodyBytes  int64    // largest request body; 0: 1 MiB
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
	return &API{engine: engine, opt: opt}
}

// Mount adds the routes to r: /ws, /api/v1/…, /healthz and /readyz. authenticate runs before /ws and /api/v1 and
// puts the identity into the request's context, or aborts. connectLimit runs before it on /ws alone, so that a storm of
// connects does not become one of calls to the SSO.
func (a *API) Mount(r gin.IRouter, authenticate gin.HandlerFunc, connectLimit ...gin.HandlerFunc) {
	connect := append([]gin.HandlerFunc{upgradeOnly}, connectLimit...)
	connect = append(connect, a.admit, authenticate, handle(a.connect))
	r.GET("/ws", connect...)
	r.GET("/ws/", connect...) // else Gin redirects before any middleware, and its log repeats ?token=
	for path, serve := range map[string]gin.HandlerFunc{"/healthz": a.alive, "/readyz": a.ready} {
		r.GET(path, serve)
		r.HEAD(path, serve)
	}

	api := r.Group("/api/v1", private, authenticate, bounded)
	api.POST("/messages", handle(a.send))
	api.GET("/messages/:id", handle(a.life))
	api.DELETE("/messages/:id", handle(a.recall))
	api.GET("/conversations", handle(a.conversations))
	api.GET("/conversations/:id/messages", handle(a.history))
	api.GET("/presence", handle(a.presence))
	api.GET("/nodes", handle(a.nodes))
	api.GET("/outbox", handle(a.outbox))
	api.POST("/outbox/:id/replay", handle(a.replay))
	api.GET("/me", handle(a.me))
}

// handle runs a handler for somebody and answers what it fails with.
func handle(serve func(c *gin.Context, who caller) error) gin.HandlerFunc {
	return func(c *gin.Context) {
		who, err := callerOf(c)
		if err == nil {
			err = serve(c, who)
		}
		if err != nil {
			fail(c, err)
		}
	}
}

// private keeps answers out of every cache: they are one person's, and old in a second.
func private(c *gin.Context) { c.Header("Cache-Control", "no-store") }

// bounded gives the call a deadline.
func bounded(c *gin.Context) {
	ctx, cancel := context.WithTimeout(c.Request.Context(), callTimeout)
	defer cancel()
	c.Request = c.Request.WithContext(ctx)
	c.Next()
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
