package handlers

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

// identity is the answer to GET /me.
type identity struct {
	OpenID    string     `json:"openid"`
	UserName  string     `json:"userName"`
	Roles     []string   `json:"roles"`
	Admin     bool       `json:"admin"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"` // if the SSO tells
}

// me serves GET /me. A browser cannot see why its handshake was refused; this call tells it, by its own refusal.
func (a *API) me(c *gin.Context, who caller) error {
	answer := identity{OpenID: who.OpenID, UserName: who.Name, Roles: who.Roles, Admin: a.admin(who)}
	if answer.Roles == nil {
		answer.Roles = []string{}
	}
	if !who.ExpiresAt.IsZero() {
		expires := who.ExpiresAt.UTC()
		answer.ExpiresAt = &expires
	}
	c.JSON(http.StatusOK, answer)
	return nil
}
