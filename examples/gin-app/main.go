// Command gin-app is a small shop: a Gin application with routes, a logger and middleware of its own. It mounts the
// messaging bundle under /im and tells a customer over the socket when an order is shipped.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
)

// stopTimeout bounds how long the application takes to go away.
const stopTimeout = 20 * time.Second

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "gin-app:", err)
		os.Exit(1)
	}
}

// run serves until ctx ends.
func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("gin-app", flag.ContinueOnError)
	address := flags.String("listen", "127.0.0.1:8090", "the `address` to listen on")
	data := flags.String("data", "./data-gin-app", "the `folder` of the messages")
	if err := flags.Parse(args); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	defer func() { _ = listener.Close() }()

	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	// Gin believes anybody's X-Forwarded-For unless told whose, and limits count by the address that it says.
	if err := router.SetTrustedProxies(nil); err != nil {
		return err
	}
	bundle, err := messaging(listener, *data, out)
	if err != nil {
		return err
	}
	router.Use(bundle.TokenFilter())                // before the logger, so that no log line can hold a token
	router.Use(accessLog(out), gin.Recovery(), tag) // the shop's own
	bundle.Mount(router.Group("/im"))
	newShop(bundle.Send).routes(router)

	if err := bundle.Start(ctx); err != nil {
		return errors.Join(fmt.Errorf("start messaging: %w", err), bundle.Stop(ctx))
	}
	_, _ = fmt.Fprintf(out, "the shop is open: http://%s/orders; messages: http://%s/im/\n", listener.Addr(), listener.Addr())
	return serve(ctx, listener, router, bundle.Stop)
}

// messaging makes the bundle. A real application would take app.WithAuthenticator, or set SSO.URL; the development SSO
// lets anybody in as anyone, on this machine only.
func messaging(listener net.Listener, data string, out io.Writer) (*app.Bundle, error) {
	cfg := configs.Default()
	cfg.Store.Dir = data
	cfg.Node.Advertise = listener.Addr().String()
	cfg.Messages.UnknownUsers = "store" // a customer who was never here finds the message on the first visit
	cfg.Drain.Delay = 0                 // no load balancer has to notice first that this is going away
	cfg.Drain.Spread = time.Second
	log := slog.New(slog.NewTextHandler(out, nil))
	return app.New(cfg, app.WithDevSSO(), app.WithLogger(log))
}

// serve serves until ctx ends, then stops the bundle, whose sockets net/http does not know any more, and the server.
func serve(ctx context.Context, listener net.Listener, handler http.Handler, stopBundle func(context.Context) error) error {
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTimeout)
	defer cancel()
	return errors.Join(err, stopBundle(stopping), server.Shutdown(stopping))
}
