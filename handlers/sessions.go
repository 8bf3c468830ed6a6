package handlers

import (
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// session is an item of GET /sessions.
type session struct {
	SessionID string    `json:"sessionId"`
	OpenID    string    `json:"openid"`
	Device    string    `json:"device"`
	Node      string    `json:"node"`
	Since     time.Time `json:"since"`
	Window    *int      `json:"window,omitempty"` // sent and not acknowledged; only the session's own node knows
	Pending   int       `json:"pending"`          // positions past the device's cursor
}

// sessions serves GET /sessions: where somebody is connected, without user= the caller.
func (a *API) sessions(c *gin.Context, who caller) error {
	user := c.DefaultQuery("user", who.OpenID)
	if user == "" {
		return protocol.FieldError(protocol.MissingField, "user", "missing: whose sessions")
	}
	if err := a.concerns(who, user); err != nil {
		return err
	}
	found, err := a.engine.Sessions(c.Request.Context(), user)
	if err != nil {
		return err
	}
	items := make([]session, len(found))
	for i := range found {
		items[i] = sessionOf(&found[i])
	}
	return page(c, items, "")
}

func sessionOf(s *ws.SessionView) session {
	item := session{SessionID: s.ID, OpenID: s.User, Device: s.Device, Node: s.Node, Since: moment(s.Since), Pending: s.Pending}
	if s.Window >= 0 {
		item.Window = &s.Window
	}
	return item
}

// endedSession is the answer to DELETE /sessions/{sessionId}.
type endedSession struct {
	SessionID string `json:"sessionId"`
	State     string `json:"state"`
}

// endSession serves DELETE /sessions/{sessionId}.
func (a *API) endSession(c *gin.Context, who caller) error {
	id := c.Param("id")
	user, ok := ws.SessionUser(id)
	if !ok {
		return protocol.FieldError(protocol.BadField, "sessionId", "must be the sessionId of a session")
	}
	if err := a.concerns(who, user); err != nil {
		return err
	}
	if err := a.engine.EndSession(c.Request.Context(), id); err != nil {
		return err
	}
	c.JSON(http.StatusOK, endedSession{SessionID: id, State: "ended"})
	return nil
}

// endedSessions is the answer to DELETE /users/{openid}/sessions.
type endedSessions struct {
	OpenID  string `json:"openid"`
	Ended   int    `json:"ended"`
	Revoked bool   `json:"revoked"`
}

// endSessions serves DELETE /users/{openid}/sessions: disconnects somebody everywhere; with revoke=true the tokens end too.
func (a *API) endSessions(c *gin.Context, who caller) error {
	user := c.Param("openid")
	revoke, err := strconv.ParseBool(c.DefaultQuery("revoke", "false"))
	if err != nil {
		return protocol.FieldError(protocol.BadField, "revoke", "must be true or false")
	}
	if err := a.concerns(who, user); err != nil {
		return err
	}
	end := a.engine.EndSessions
	if revoke {
		end = a.engine.Revoke
	}
	ended, err := end(c.Request.Context(), user)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, endedSessions{OpenID: user, Ended: ended, Revoked: revoke})
	return nil
}

// concerns refuses whoever is neither the user nor an administrator.
func (a *API) concerns(who caller, user string) error {
	if who.OpenID == user || a.admin(who) {
		return nil
	}
	return protocol.NewError(protocol.Forbidden, "only an administrator may do this for somebody else")
}
