package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/yanlink/yanlink/configs"
)

// endpoint is one listener and what it serves.
type endpoint struct {
	listener net.Listener
	server   *http.Server
}

// open listens on the address of a key.
func (s *Server) open(key, address string) (*endpoint, error) {
	listener, err := listen(key, address)
	if err != nil {
		return nil, err
	}
	return &endpoint{listener, s.newHTTPServer()}, nil
}

func (s *Server) newHTTPServer() *http.Server {
	return &http.Server{
		ReadHeaderTimeout: s.cfg.Server.ReadHeaderTimeout,
		// For requests that net/http answers before any handler; a socket that is taken over has no deadline of it any more.
		ReadTimeout:    s.cfg.Server.ReadHeaderTimeout + s.cfg.Server.CallTimeout,
		IdleTimeout:    2 * time.Minute,
		MaxHeaderBytes: s.cfg.Server.HeaderBytes,
		ErrorLog:       slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
}

// listen opens a listener; its error says what is wrong and what to do about it.
func listen(key, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	variable := configs.EnvPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
	switch {
	case err == nil:
		return listener, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("%s: %s is taken by another process; stop that one, or set another address (%s)", key, address, variable)
	case errors.Is(err, fs.ErrPermission):
		return nil, fmt.Errorf("%s: this user may not listen on %s; set a port above 1023 (%s)", key, address, variable)
	}
	return nil, fmt.Errorf("%s: %s cannot be listened on; set an address of this machine (%s): %w", key, address, variable, err)
}

// serve serves until the endpoint is closed; any other end is an error.
func (e *endpoint) serve() error {
	err := e.server.Serve(e.listener)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve on %s: %w", e.listener.Addr(), err)
}

// shutdown lets requests under way end until ctx does.
func (e *endpoint) shutdown(ctx context.Context) error {
	defer e.listener.Close() // of one that never served; else it is closed already
	if e.server.Shutdown(ctx) != nil {
		return e.server.Close()
	}
	return nil
}
