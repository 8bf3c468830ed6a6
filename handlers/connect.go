package handlers

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// subprotocol is what a client names that knows our own frames.
const subprotocol = "yanlink.v1"

// upgradeOnly refuses what is no WebSocket handshake before anybody is asked who it is.
func upgradeOnly(c *gin.Context) {
	if !c.IsWebsocket() {
		fail(c, protocol.NewError(protocol.UpgradeRequired, "this is a WebSocket endpoint: connect with a WebSocket client"))
	}
}

// admit refuses what nobody may do before anybody is asked who it is, and says what the caller is about to do.
func (a *API) admit(c *gin.Context) {
	ctx, err := a.engine.Admit(c.Request, c.Query("device"))
	if err != nil {
		fail(c, err)
		return
	}
	c.Request = c.Request.WithContext(ctx)
}

// connect serves GET /ws. It returns as soon as the session stands; nothing of the request is used after that.
func (a *API) connect(c *gin.Context, who caller) error {
	// What an access log shows of a handshake that succeeds: Gin does not see the real answer.
	c.Status(http.StatusSwitchingProtocols)
	err := a.engine.Connect(c.Writer, c.Request, ws.ConnectRequest{
		Identity: who.Identity,
		Token:    ws.CallerFrom(c.Request.Context()).Token,
		Device:   c.Query("device"),
		V1:       c.Query("v") == "1" || slices.Contains(subprotocols(c.Request), subprotocol),
	})
	var answered *ws.HandshakeError
	if errors.As(err, &answered) {
		return nil
	}
	return err
}

// subprotocols returns what the client offers.
func subprotocols(r *http.Request) []string {
	var offered []string
	for _, line := range r.Header.Values("Sec-WebSocket-Protocol") {
		for name := range strings.SplitSeq(line, ",") {
			offered = append(offered, strings.TrimSpace(name))
		}
	}
	return offered
}
