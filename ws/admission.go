package ws

import (
	"context"
	"errors"
	"net/http"

	"github.com/gorilla/websocket"

	"github.com/yanlink/yanlink/ws/protocol"
)

// Admission is a connect whose caller is not known yet. It travels in the request's context, so that whoever finds out
// that the caller's token has to be recorded can have the device opened in the same commit.
type Admission struct {
	g      *Gateway
	device string
	opened *OpenDevice // by Open
}

// admissionKey is the context key of an Admission.
type admissionKey struct{}

// Admit refuses, before anybody is asked who calls, a request that Connect would refuse from anyone; else it returns a
// context with an Admission, for the request to go on with. Connect does without, in a commit more for a new token.
func (g *Gateway) Admit(r *http.Request, device string) (context.Context, error) {
	device = deviceOrDefault(device)
	if err := g.admissible(r, device); err != nil {
		return nil, err
	}
	return context.WithValue(r.Context(), admissionKey{}, &Admission{g: g, device: device}), nil
}

// AdmissionFrom returns what Admit put into the context; nil if nothing was.
func AdmissionFrom(ctx context.Context) *Admission {
	a, _ := ctx.Value(admissionKey{}).(*Admission)
	return a
}

// Open records the token as accepted and opens the caller's device, in one commit. An error says that the token was not
// recorded. That the device was refused, which says nothing about the token, is for Connect to tell.
func (a *Admission) Open(ctx context.Context, identity *Identity, accept *AcceptToken) error {
	c := &ConnectRequest{Identity: *identity, Device: a.device}
	if a.g.crowded(c) {
		return a.g.write(ctx, accept)
	}
	opened, err := a.g.openDevice(ctx, c, accept)
	if errors.Is(err, protocol.NewError(protocol.RateLimited, "")) {
		return nil
	}
	a.opened = opened
	return err
}

// take returns the device that Open has opened, if it is the one that c asks for; nil: there is none.
func (a *Admission) take(c *ConnectRequest) *OpenDevice {
	if a == nil || a.opened == nil || a.opened.User != c.Identity.OpenID || a.opened.Device != c.Device {
		return nil
	}
	opened := a.opened
	a.opened = nil // an epoch is one session's
	return opened
}

// admissible refuses a request that nobody may make.
func (g *Gateway) admissible(r *http.Request, device string) error {
	switch {
	case !websocket.IsWebSocketUpgrade(r):
		return protocol.NewError(protocol.UpgradeRequired, "this is a WebSocket endpoint: connect with a WebSocket client")
	case g.state.Load() != stateRunning:
		return protocol.NewError(protocol.Draining, "the node takes no new connections; try another, or again later")
	case !g.allowOrigin(r):
		return protocol.NewError(protocol.Forbidden, "the page's origin is not allowed; see server.origins")
	case !protocol.ValidDevice(device):
		return protocol.FieldError(protocol.BadField, "device", "a device is 1 to 64 letters, digits, - _ . or ~")
	}
	return nil
}

func deviceOrDefault(device string) string {
	if device == "" {
		return "default"
	}
	return device
}
