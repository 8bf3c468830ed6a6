// Command oidc is the endpoint that sso.url points at where people sign on with OpenID Connect: it says whose an access
// token is, after it has checked signature, issuer, audience and time, and asked the provider whether it was revoked.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/signal"
	"time"

	"github.com/yanlink/yanlink/examples/oidc/provider"
)

const (
	// secretVariable names the secret; a flag would stand in the list of processes.
	secretVariable = "OIDC_CLIENT_SECRET"
	// tryAddress is where the provider to try with listens.
	tryAddress = "127.0.0.1:9998"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "oidc:", err)
		os.Exit(1)
	}
}

func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	s := settings{clientSecret: os.Getenv(secretVariable)}
	flag.StringVar(&s.issuer, "issuer", "http://"+tryAddress, "the provider's `URL`")
	flag.StringVar(&s.audience, "audience", provider.Chat, "whom tokens have to be meant for")
	flag.StringVar(&s.clientID, "client", provider.Chat, "by whose name the provider is asked; its secret stands in "+secretVariable)
	flag.DurationVar(&s.timeout, "timeout", 2*time.Second, "of a call to the provider")
	listen := flag.String("listen", "127.0.0.1:9997", "the `address` of the endpoint")
	try := flag.Bool("try", false, "run a provider too, with ann and ben, on "+tryAddress)
	flag.Parse()

	if *try {
		s.clientSecret = provider.Secret
		stopProvider := serve(tryAddress, provider.New("http://"+tryAddress, 5*time.Minute))
		defer stopProvider()
	}
	found, err := discover(ctx, s)
	if err != nil {
		return err
	}
	defer serve(*listen, found)()
	slog.Info("the endpoint is open", "sso.url", "http://"+*listen)
	<-ctx.Done()
	return nil
}

// discover tries until the provider answers: it may start later than we do.
func discover(ctx context.Context, s settings) (*checker, error) {
	for {
		found, err := newChecker(ctx, s)
		if err == nil {
			return found, nil
		}
		slog.Warn("the provider does not answer yet", "error", err)
		select {
		case <-ctx.Done():
			return nil, err
		case <-time.After(time.Second):
		}
	}
}

// serve serves until the function it returns is called.
func serve(address string, handler http.Handler) (stop func()) {
	server := &http.Server{Addr: address, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
			slog.Error("serve", "address", address, "error", err)
			os.Exit(1)
		}
	}()
	return func() { _ = server.Close() }
}
