package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws/protocol"
)

// Users say which people may make a call. The zero value says nothing, which no row does.
type Users uint8

// The people that a call is open to.
const (
	NoUser        Users = iota + 1 // none but administrators, where the scope admin may
	ConcernedUser                  // whom the thing that the request names concerns; to others it is forbidden, or not there
	AnyUser                        // everybody with a token, for what is theirs
	Anybody                        // whoever asks, without a token
	Operator                       // whoever reaches the address that is for operators alone: nobody is asked for a token there
)

// Access is a row of the table that says who may do what.
type Access struct {
	Method string
	Path   string // below where the bundle is mounted, as Gin writes it
	Users  Users
	Scopes []string // of which a service key needs one; where admin is among them, administrators by role may too
	Reads  bool     // it changes nothing, which takes less time than a call otherwise has
}

// Route is a row with what serves it.
type Route struct {
	Access
	serve func(c *gin.Context, who caller) error // behind the authentication; nil where open is not
	open  gin.HandlerFunc
}

// ForAnybody returns a route that is open to whoever asks.
func ForAnybody(method, path string, serve gin.HandlerFunc) Route {
	return Route{Access: Access{Method: method, Path: path, Users: Anybody}, open: serve}
}

// ForOperators returns a route for the address that only operators reach.
func ForOperators(method, path string, serve gin.HandlerFunc) Route {
	return Route{Access: Access{Method: method, Path: path, Users: Operator}, open: serve}
}

// MountOpen adds routes of ForAnybody and ForOperators to r and returns their rows.
func MountOpen(r gin.IRouter, routes []Route) []Access {
	for i := range routes {
		r.Handle(routes[i].Method, routes[i].Path, routes[i].open)
	}
	return rowsOf(routes)
}

// apiPath is below where the bundle is mounted.
const apiPath = "/api/v1"

// routes is the one table of who may do what. Mount makes the routes of it.
func (a *API) routes() []Route {
	own := []Route{
		at(http.MethodGet, "/ws", AnyUser).by(a.connect),
		at(http.MethodGet, "/ws/", AnyUser).by(a.connect), // else Gin redirects before any middleware, and its log repeats ?token=
		ForAnybody(http.MethodGet, "/healthz", alive),
		ForAnybody(http.MethodHead, "/healthz", alive),
		ForAnybody(http.MethodGet, "/readyz", a.ready),
		ForAnybody(http.MethodHead, "/readyz", a.ready),
		ForAnybody(http.MethodGet, "/openapi.json", a.openAPI),

		at(http.MethodPost, apiPath+"/messages", AnyUser, scopeSend).by(a.send),
		at(http.MethodPost, apiPath+"/messages/batch", AnyUser, scopeSend).by(a.sendBatch),
		at(http.MethodPost, apiPath+"/broadcast", NoUser, scopeSend, scopeAdmin).by(a.broadcast),
		at(http.MethodDelete, apiPath+"/scheduled/:id", ConcernedUser, scopeSend).by(a.cancelScheduled),
		at(http.MethodPost, pushPath+"/send", AnyUser, scopeSend).by(a.push),
		at(http.MethodPost, pushPath+"/sendList", AnyUser, scopeSend).by(a.pushList),
		at(http.MethodGet, apiPath+"/messages/:id", ConcernedUser, scopeRead, scopeAdmin).reads(a.life),
		at(http.MethodDelete, apiPath+"/messages/:id", ConcernedUser, scopeAdmin).by(a.recall),
		at(http.MethodGet, apiPath+"/conversations", AnyUser).reads(a.conversations),
		at(http.MethodGet, apiPath+"/conversations/:id/messages", ConcernedUser, scopeRead, scopeAdmin).reads(a.history),
		at(http.MethodPost, apiPath+"/conversations/:id/read", ConcernedUser).by(a.markRead),
		at(http.MethodGet, apiPath+"/presence", AnyUser, scopeRead, scopeAdmin).reads(a.presence),
		at(http.MethodGet, apiPath+"/presence/online", NoUser, scopeRead, scopeAdmin).reads(a.online),
		at(http.MethodGet, apiPath+"/me", AnyUser).reads(a.me),
		at(http.MethodPost, apiPath+"/tickets", AnyUser).by(a.ticket),
		at(http.MethodGet, apiPath+"/sessions", ConcernedUser, scopeAdmin).reads(a.sessions),
		at(http.MethodDelete, apiPath+"/sessions/:id", ConcernedUser, scopeAdmin).by(a.endSession),
		at(http.MethodPut, apiPath+"/users/:openid", NoUser, scopeAdmin).by(a.putUser),
		at(http.MethodPut, apiPath+"/users/:openid/ban", NoUser, scopeAdmin).by(a.ban),
		at(http.MethodDelete, apiPath+"/users/:openid/ban", NoUser, scopeAdmin).by(a.unban),
		at(http.MethodDelete, apiPath+"/users/:openid/sessions", ConcernedUser, scopeAdmin).by(a.endSessions),
		at(http.MethodGet, apiPath+"/nodes", NoUser, scopeAdmin).reads(a.nodes),
		at(http.MethodGet, apiPath+"/outbox", NoUser, scopeAdmin).reads(a.outbox),
		at(http.MethodPost, apiPath+"/outbox/:id/replay", NoUser, scopeAdmin).by(a.replay),
	}
	return append(own, a.opt.Open...)
}

func at(method, path string, users Users, scopes ...string) Route {
	return Route{Access: Access{Method: method, Path: path, Users: users, Scopes: scopes}}
}

func (r Route) by(serve func(*gin.Context, caller) error) Route {
	r.serve = serve
	return r
}

// reads is by for a call that changes nothing.
func (r Route) reads(serve func(*gin.Context, caller) error) Route {
	r.Reads = true
	return r.by(serve)
}

// Table returns who may do what, a row for each route.
func (a *API) Table() []Access { return rowsOf(a.routes()) }

func rowsOf(routes []Route) []Access {
	rows := make([]Access, len(routes))
	for i := range routes {
		rows[i] = routes[i].Access
	}
	return rows
}

// permit refuses whom a row does not name. Whom the thing that a request names concerns, only its handler can tell.
func (a *API) permit(row *Access, who caller) error {
	switch {
	case slices.ContainsFunc(row.Scopes, who.HasScope):
		return nil
	case who.isService() && len(row.Scopes) == 0:
		return protocol.NewError(protocol.Forbidden, "a service key is no person, and this is a person's to do: use a user's token")
	case who.isService():
		return protocol.NewError(protocol.Forbidden, "this service key has no scope for this call: "+strings.Join(row.Scopes, " or "))
	case row.Users > NoUser, a.admin(who) && slices.Contains(row.Scopes, scopeAdmin):
		return nil
	}
	return protocol.NewError(protocol.Forbidden, "only an administrator may do this")
}
