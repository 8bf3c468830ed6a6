package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws/protocol"
)

// Users say which people may make a call.
type Users uint8

// The people that a call is open to.
const (
	NoUser        Users = iota // none but administrators, where the scope admin may
	ConcernedUser              // whom the thing that the request names concerns; to others it is forbidden, or not there
	AnyUser                    // everybody with a token, for what is theirs
	Anybody                    // whoever asks, without a token
)

// Access is a row of the table that says who may do what.
type Access struct {
	Method string
	Path   string // below where the bundle is mounted, as Gin writes it
	Users  Users
	Scopes []string // of which a service key needs one; where admin is among them, administrators by role may too
}

// route is a row with what serves it: serve behind the authentication, open for Anybody.
type route struct {
	Access
	serve func(c *gin.Context, who caller) error
	open  gin.HandlerFunc
}

// apiPath is below where the bundle is mounted.
const apiPath = "/api/v1"

// routes is the one table of who may do what. Mount makes the routes of it.
func (a *API) routes() []route {
	return []route{
		at(http.MethodGet, "/ws", AnyUser).by(a.connect),
		at(http.MethodGet, "/ws/", AnyUser).by(a.connect), // else Gin redirects before any middleware, and its log repeats ?token=
		at(http.MethodGet, "/healthz", Anybody).openly(a.alive),
		at(http.MethodHead, "/healthz", Anybody).openly(a.alive),
		at(http.MethodGet, "/readyz", Anybody).openly(a.ready),
		at(http.MethodHead, "/readyz", Anybody).openly(a.ready),
		at(http.MethodGet, "/openapi.json", Anybody).openly(a.openAPI),

		at(http.MethodPost, apiPath+"/messages", AnyUser, scopeSend).by(a.send),
		at(http.MethodPost, apiPath+"/messages/batch", AnyUser, scopeSend).by(a.sendBatch),
		at(http.MethodPost, apiPath+"/broadcast", NoUser, scopeSend, scopeAdmin).by(a.broadcast),
		at(http.MethodDelete, apiPath+"/scheduled/:id", ConcernedUser, scopeSend).by(a.cancelScheduled),
		at(http.MethodPost, pushPath+"/send", AnyUser, scopeSend).by(a.push),
		at(http.MethodPost, pushPath+"/sendList", AnyUser, scopeSend).by(a.pushList),
		at(http.MethodGet, apiPath+"/messages/:id", ConcernedUser, scopeRead, scopeAdmin).by(a.life),
		at(http.MethodDelete, apiPath+"/messages/:id", ConcernedUser, scopeAdmin).by(a.recall),
		at(http.MethodGet, apiPath+"/conversations", AnyUser).by(a.conversations),
		at(http.MethodGet, apiPath+"/conversations/:id/messages", ConcernedUser, scopeRead, scopeAdmin).by(a.history),
		at(http.MethodPost, apiPath+"/conversations/:id/read", ConcernedUser).by(a.markRead),
		at(http.MethodGet, apiPath+"/presence", AnyUser, scopeRead, scopeAdmin).by(a.presence),
		at(http.MethodGet, apiPath+"/presence/online", NoUser, scopeRead, scopeAdmin).by(a.online),
		at(http.MethodGet, apiPath+"/me", AnyUser).by(a.me),
		at(http.MethodPost, apiPath+"/tickets", AnyUser).by(a.ticket),
		at(http.MethodGet, apiPath+"/sessions", ConcernedUser, scopeAdmin).by(a.sessions),
		at(http.MethodDelete, apiPath+"/sessions/:id", ConcernedUser, scopeAdmin).by(a.endSession),
		at(http.MethodPut, apiPath+"/users/:openid", NoUser, scopeAdmin).by(a.putUser),
		at(http.MethodPut, apiPath+"/users/:openid/ban", NoUser, scopeAdmin).by(a.ban),
		at(http.MethodDelete, apiPath+"/users/:openid/ban", NoUser, scopeAdmin).by(a.unban),
		at(http.MethodDelete, apiPath+"/users/:openid/sessions", ConcernedUser, scopeAdmin).by(a.endSessions),
		at(http.MethodGet, apiPath+"/nodes", NoUser, scopeAdmin).by(a.nodes),
		at(http.MethodGet, apiPath+"/outbox", NoUser, scopeAdmin).by(a.outbox),
		at(http.MethodPost, apiPath+"/outbox/:id/replay", NoUser, scopeAdmin).by(a.replay),
	}
}

func at(method, path string, users Users, scopes ...string) route {
	return route{Access: Access{Method: method, Path: path, Users: users, Scopes: scopes}}
}

func (r route) by(serve func(*gin.Context, caller) error) route {
	r.serve = serve
	return r
}

func (r route) openly(serve gin.HandlerFunc) route {
	r.open = serve
	return r
}

// Table returns who may do what, a row for each route.
func (a *API) Table() []Access {
	routes := a.routes()
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
	case row.Users != NoUser, a.admin(who) && slices.Contains(row.Scopes, scopeAdmin):
		return nil
	}
	return protocol.NewError(protocol.Forbidden, "only an administrator may do this")
}
