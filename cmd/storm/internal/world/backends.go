package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/deploy/services"
)

const backendsStop = 30 * time.Second

// Backends are the real services beneath a cluster, each a process of this program's own.
type Backends struct {
	SQL, Redis, Namesrv, Broker *services.Server
}

// StartBackends installs what is missing and starts the services with their data below dir. store is MariaDB or Postgres.
func StartBackends(ctx context.Context, store services.Kind, dir string, progress io.Writer) (*Backends, error) {
	if err := services.Install(ctx, progress, store, services.Redis, services.Namesrv, services.Broker); err != nil {
		return nil, err
	}
	b := &Backends{}
	start := func(server **services.Server, spec services.Spec) (err error) {
		spec.Dir = filepath.Join(dir, string(spec.Kind))
		*server, err = services.Start(ctx, spec)
		return err
	}
	var starts errgroup.Group
	starts.Go(func() error { return start(&b.SQL, services.Spec{Kind: store}) })
	starts.Go(func() error { return start(&b.Redis, services.Spec{Kind: services.Redis}) })
	starts.Go(func() error {
		if err := start(&b.Namesrv, services.Spec{Kind: services.Namesrv}); err != nil {
			return err
		}
		return start(&b.Broker, services.Spec{Kind: services.Broker, Namesrv: b.Namesrv.Addr})
	})
	if err := starts.Wait(); err != nil {
		return nil, errors.Join(err, b.Close())
	}
	return b, nil
}

// all lists those that were started, in the order in which they are to be stopped.
func (b *Backends) all() (started []*services.Server) {
	for _, server := range []*services.Server{b.Broker, b.Namesrv, b.Redis, b.SQL} {
		if server != nil {
			started = append(started, server)
		}
	}
	return started
}

// Addresses is where nodes find the services.
func (b *Backends) Addresses(sso *SSO) Addresses {
	driver := "mysql"
	if b.SQL.Kind == services.Postgres {
		driver = "postgres"
	}
	return Addresses{
		Driver: driver, DSN: b.SQL.DSN(services.Database), Redis: b.Redis.Addr, Namesrv: b.Namesrv.Addr, SSO: sso.URL(),
	}
}

// Close stops all services.
func (b *Backends) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), backendsStop)
	defer cancel()
	var errs []error
	for _, server := range b.all() {
		if err := server.Stop(ctx); err != nil {
			errs = append(errs, fmt.Errorf("stop what was started: %w", err))
		}
	}
	return errors.Join(errs...)
}
