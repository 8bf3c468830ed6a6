package handlers

import (
	"context"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
)

// Tickets issues one-use tickets, each in place of a token.
type Tickets interface {
	// Issue returns a ticket and how long it holds, or a *protocol.Error.
	Issue(ctx context.Context, token string) (ticket string, life time.Duration, err error)
}

// ticket is the answer to POST /tickets.
type ticket struct {
	Token     string `json:"token"`
	ExpiresIn int    `json:"expiresIn"` // seconds
}

// ticket serves POST /tickets.
func (a *API) ticket(c *gin.Context, _ caller) error {
	ctx := c.Request.Context()
	issued, life, err := a.opt.Tickets.Issue(ctx, ws.CallerFrom(ctx).Token)
	if err != nil {
		return err
	}
	c.JSON(http.StatusOK, ticket{Token: issued, ExpiresIn: int(life.Seconds())})
	return nil
}
