package handlers

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// maxWatched bounds how many users one call asks for.
const maxWatched = 200

// presence is an item of GET /presence.
type presence struct {
	OpenID   string     `json:"openid"`
	Status   string     `json:"status"` // online, offline, unknown
	Devices  []string   `json:"devices"`
	Nodes    []string   `json:"nodes,omitempty"`    // where they are; for administrators
	Since    *time.Time `json:"since,omitempty"`    // while online
	LastSeen *time.Time `json:"lastSeen,omitempty"` // if ever
}

// presence serves GET /presence.
func (a *API) presence(c *gin.Context, who caller) error {
	users, err := usersOf(c)
	if err != nil {
		return err
	}
	charge(c.Request.Context(), 1+len(users)/viewsPerCall)
	found, err := a.engine.Presence(c.Request.Context(), a.viewer(who), users)
	if err != nil {
		return err
	}
	return polled(c, a.presences(found, who), "")
}

// presences shows how it stands with users, and to administrators on which nodes.
func (a *API) presences(found []ws.Presence, who caller) []presence {
	items := make([]presence, len(found))
	for i := range found {
		items[i] = presenceOf(&found[i])
		if !a.admin(who) {
			items[i].Nodes = nil
		}
	}
	return items
}

// online serves GET /presence/online.
func (a *API) online(c *gin.Context, who caller) error {
	limit, err := limitOf(c)
	if err != nil {
		return err
	}
	pages := a.cursorsOf("online")
	place, err := pages.place(c)
	if err != nil {
		return err
	}
	found, next, err := a.engine.Online(c.Request.Context(), place, limit)
	if err != nil {
		return err
	}
	return page(c, a.presences(found, who), pages.next(next))
}

// usersOf reads the parameter users.
func usersOf(c *gin.Context) ([]string, error) {
	text := c.Query("users")
	if text == "" {
		return nil, protocol.FieldError(protocol.MissingField, "users", "missing: openids, joined by commas")
	}
	users := strings.Split(text, ",")
	if len(users) > maxWatched {
		return nil, protocol.FieldError(protocol.BadField, "users", "at most "+strconv.Itoa(maxWatched)+" users in one call")
	}
	if slices.ContainsFunc(users, func(user string) bool { return !protocol.ValidOpenID(user) }) {
		return nil, protocol.FieldError(protocol.BadField, "users", "an openid is 1 to 128 bytes without comma or control characters")
	}
	return users, nil
}

func presenceOf(p *ws.Presence) presence {
	item := presence{OpenID: p.OpenID, Status: p.Status, Devices: p.Devices, Nodes: p.Nodes, Since: maybe(p.Since), LastSeen: maybe(p.LastSeen)}
	if item.Devices == nil {
		item.Devices = []string{}
	}
	return item
}

// maybe is moment for a time that may never have been.
func maybe(at ws.Millis) *time.Time {
	if at == 0 {
		return nil
	}
	t := moment(at)
	return &t
}
