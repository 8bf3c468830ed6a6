package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
	"github.com/yanlink/yanlink/cmd/storm/internal/tempest"
	"github.com/yanlink/yanlink/cmd/storm/internal/world"
)

func main() {
	o, err := parse(os.Args[1:], os.Stderr)
	if errors.Is(err, flag.ErrHelp) {
		return
	}
	if err != nil {
		os.Exit(2)
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	well, err := run(ctx, o, os.Stdout)
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "storm:", err)
	}
	if !well {
		cancel()
		os.Exit(1)
	}
}

// run prepares a folder and a world, and lets the storm blow. It reports whether the world stood it.
func run(ctx context.Context, o options, out io.Writer) (well bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	dir := o.dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "storm-"); err != nil {
			return false, err
		}
	} else if err := empty(dir); err != nil {
		return false, err
	}
	defer func() {
		if well && o.dir == "" {
			err = errors.Join(err, os.RemoveAll(dir))
			return
		}
		_, _ = fmt.Fprintln(out, "data, logs and history are in", dir)
	}()
	if o.server == "" {
		if o.server, err = child.Build(ctx, dir, o.race); err != nil {
			return false, err
		}
	}
	_, _ = fmt.Fprintln(out, "storm:", &o)
	place, err := o.world(ctx, dir, out)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, place.Close()) }()
	outcome := tempest.New(o.Settings, place, out).Run(ctx)
	if well = outcome.Print(out); !well {
		err = outcome.Save(filepath.Join(dir, "history.log"))
	}
	return well, err
}

// place is a world that has to be closed.
type place interface {
	tempest.World
	io.Closer
}

func (o *options) world(ctx context.Context, dir string, out io.Writer) (place, error) {
	if o.nodes == 0 {
		return world.NewSingle(o.server, dir, o.kills)
	}
	return world.NewCluster(ctx, world.ClusterOptions{
		Bin: o.server, Dir: dir, Store: stores[o.store], Nodes: o.nodes, Kills: o.kills, Outages: o.outages,
	}, out)
}

// empty makes dir, which may exist only without anything in it.
func empty(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	entries, err := os.ReadDir(dir)
	if err == nil && len(entries) > 0 {
		return fmt.Errorf("%s is not empty", dir)
	}
	return err
}
