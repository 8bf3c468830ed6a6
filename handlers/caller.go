package handlers

import (
	"slices"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// The scopes of a service key.
const (
	scopeSend  = "send"
	scopeRead  = "read"
	scopeAdmin = "admin"
)

// caller is who a request acts for: a person, or a service key.
type caller struct{ ws.Identity }

// callerOf is the second line behind the authentication middleware: without an identity nothing is served.
func callerOf(c *gin.Context) (caller, error) {
	id := ws.CallerFrom(c.Request.Context()).Identity
	if id.OpenID == "" && id.Service == "" {
		return caller{}, protocol.NewError(protocol.Unauthorized, "a token is needed: Authorization: Bearer …")
	}
	return caller{id}, nil
}

// isService reports whether a service key was used.
func (w caller) isService() bool { return w.Service != "" }

// admin reports whether the caller may do everything, by scope or by role.
func (a *API) admin(w caller) bool {
	if w.isService() {
		return w.HasScope(scopeAdmin)
	}
	return slices.ContainsFunc(w.Roles, func(role string) bool { return slices.Contains(a.opt.AdminRoles, role) })
}

// viewer returns as whom the caller reads the ledger: empty for those who may see all.
func (a *API) viewer(w caller) string {
	if a.admin(w) || w.HasScope(scopeRead) {
		return ""
	}
	return w.OpenID
}
