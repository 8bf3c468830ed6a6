// Package yardstick is what Yanlink is measured against: the bare relay that anyone would write first with gin and
// melody. It speaks the same six frames with the same codec, and keeps nothing: no ledger, no window, no proof that
// survives anything. What Yanlink costs more than this is what its promises cost.
package yardstick

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/pprof"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/olahol/melody"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

const (
	largestFrame    = 64 << 10
	headerTimeout   = 5 * time.Second
	shutdownTimeout = 5 * time.Second
)

// Serve runs the relay on a loopback address until ctx ends. ready, if not nil, is called with the address once it
// accepts connections.
func Serve(ctx context.Context, listen string, ready func(addr string)) error {
	if err := wire.Loopback(listen); err != nil {
		return err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", listen)
	if err != nil {
		return fmt.Errorf("listen for the yardstick: %w", err)
	}
	m := melody.New()
	m.Config.MaxMessageSize = largestFrame
	server := &http.Server{Handler: routes(m), ReadHeaderTimeout: headerTimeout}
	served := make(chan error, 1)
	go func() { served <- server.Serve(listener) }()
	if ready != nil {
		ready(listener.Addr().String())
	}
	select {
	case err = <-served:
	case <-ctx.Done():
		err = stop(server, m)
		<-served //nolint:errcheck // http.ErrServerClosed, which stop asked for
	}
	return err
}

func stop(server *http.Server, m *melody.Melody) error {
	ctx, cancel := context.WithTimeout(context.Background(), shutdownTimeout)
	defer cancel()
	err := m.Close()
	return errors.Join(err, server.Shutdown(ctx))
}

func routes(m *melody.Melody) http.Handler {
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	relay := newRelay()
	m.HandleConnect(relay.connect)
	m.HandleDisconnect(relay.disconnect)
	m.HandleMessage(relay.message)
	router.GET("/readyz", func(c *gin.Context) { c.Status(http.StatusOK) })
	router.POST("/dev/login", login)
	router.GET("/ws", func(c *gin.Context) { upgrade(c, m) })
	router.GET("/debug/pprof/profile", gin.WrapF(pprof.Profile))
	router.GET("/debug/pprof/heap", gin.WrapH(pprof.Handler("heap")))
	return router
}

// login hands out a token that is nothing but the name: checking tokens is not what the yardstick is for.
func login(c *gin.Context) {
	var who struct {
		OpenID   string `json:"openid"   binding:"required"`
		UserName string `json:"userName"`
	}
	if err := c.ShouldBindJSON(&who); err != nil {
		c.String(http.StatusBadRequest, "openid is missing")
		return
	}
	token := base64.RawURLEncoding.EncodeToString([]byte(who.OpenID + "\n" + who.UserName))
	c.JSON(http.StatusOK, gin.H{"token": token})
}

func upgrade(c *gin.Context, m *melody.Melody) {
	raw, err := base64.RawURLEncoding.DecodeString(c.Query("token"))
	openID, name, ok := strings.Cut(string(raw), "\n")
	if err != nil || !ok {
		c.String(http.StatusUnauthorized, "no token")
		return
	}
	peer := newPeer(openID, name, c.Query("device"), c.Request.Host)
	if err := m.HandleRequestWithKeys(c.Writer, c.Request, map[string]any{peerKey: peer}); err != nil {
		_ = c.Error(err)
	}
}
