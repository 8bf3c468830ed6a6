package world

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"time"
)

const (
	// TokenPrefix begins each token; the openid follows.
	TokenPrefix = "storm."
	tokenHeader = "token"
)

// SSO is an endpoint at which nodes check tokens, in the storm's own process: what dies in a storm is not the SSO.
type SSO struct {
	server   *http.Server
	listener net.Listener
}

// StartSSO listens on a free port of 127.0.0.1.
func StartSSO(ctx context.Context) (*SSO, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &SSO{listener: listener, server: &http.Server{Handler: http.HandlerFunc(check), ReadHeaderTimeout: time.Minute}}
	go func() { _ = s.server.Serve(listener) }() // until Close
	return s, nil
}

// URL is what nodes call.
func (s *SSO) URL() string { return "http://" + s.listener.Addr().String() + "/check" }

// Token returns a token that holds as long as the endpoint stands.
func (s *SSO) Token(openID string) string { return TokenPrefix + openID }

// Close ends the endpoint.
func (s *SSO) Close() error { return s.server.Close() }

func check(w http.ResponseWriter, r *http.Request) {
	openID, ok := strings.CutPrefix(r.Header.Get(tokenHeader), TokenPrefix)
	if !ok || openID == "" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]string{"openid": openID, "userName": nameOf(openID)})
}
