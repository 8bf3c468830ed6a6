package handlers

import (
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// maxUserName bounds a display name, in bytes.
const maxUserName = 256

// account is the answer to PUT /users/{openid}.
type account struct {
	OpenID    string    `json:"openid"`
	UserName  string    `json:"userName"`
	FirstSeen time.Time `json:"firstSeen"`
	Banned    bool      `json:"banned"`
}

// putUser serves PUT /users/{openid}: makes a user known, or changes the name.
func (a *API) putUser(c *gin.Context, _ caller) error {
	body, err := bodyOf(c, a.opt.BodyBytes)
	if err != nil {
		return err
	}
	name, err := body.text("userName")
	if err != nil {
		return err
	}
	if len(name) > maxUserName {
		return protocol.FieldError(protocol.BadField, "userName", "a name is at most 256 bytes")
	}
	user, err := a.engine.PutUser(c.Request.Context(), c.Param("openid"), name)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, accountOf(&user))
	return nil
}

func accountOf(u *ws.User) account {
	return account{OpenID: u.OpenID, UserName: u.Name, FirstSeen: moment(u.FirstSeen), Banned: u.Banned}
}

// banned is the answer to PUT and DELETE /users/{openid}/ban.
type banned struct {
	OpenID string `json:"openid"`
	Banned bool   `json:"banned"`
	Ended  int    `json:"ended"` // sessions
}

// ban serves PUT /users/{openid}/ban.
func (a *API) ban(c *gin.Context, _ caller) error { return a.setBan(c, true) }

// unban serves DELETE /users/{openid}/ban.
func (a *API) unban(c *gin.Context, _ caller) error { return a.setBan(c, false) }

func (a *API) setBan(c *gin.Context, ban bool) error {
	user := c.Param("openid")
	ended, err := a.engine.Ban(c.Request.Context(), user, ban)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, banned{OpenID: user, Banned: ban, Ended: ended})
	return nil
}
