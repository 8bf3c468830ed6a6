package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
	"github.com/yanlink/yanlink/cmd/storm/internal/tempest"
	"github.com/yanlink/yanlink/cmd/storm/internal/world"
)

type options struct {
	tempest.Settings
	kills   int
	server  string
	dir     string
	race    bool
	timeout time.Duration
}

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

func parse(args []string, out io.Writer) (options, error) {
	var o options
	flags := flag.NewFlagSet("storm", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.IntVar(&o.Clients, "clients", 40, "users, half as many pairs; every fifth has a second device besides")
	flags.IntVar(&o.Messages, "messages", 20_000, "messages in all")
	flags.IntVar(&o.kills, "kills", 8, "how often the server is killed with SIGKILL")
	flags.DurationVar(&o.Over, "over", 45*time.Second, "how long the messages are spread over; 0: as fast as it goes")
	flags.DurationVar(&o.Settle, "settle", 30*time.Second, "how long to wait, without anything new, for what is missing in the end")
	flags.Uint64Var(&o.Seed, "seed", rand.Uint64N(1_000_000), "of everything random but the machine's own timing")
	flags.StringVar(&o.server, "server", "", "the server's binary; built from this module if empty")
	flags.BoolVar(&o.race, "race", false, "build the server with the race detector")
	flags.StringVar(&o.dir, "dir", "", "an empty folder for data and log; a temporary one, removed after success, if empty")
	flags.DurationVar(&o.timeout, "timeout", 5*time.Minute, "after which the storm has failed")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.Clients < 2 || o.Clients%2 != 0 || o.Messages < 1 || o.kills < 0 {
		err := errors.New("clients come in pairs, messages are at least 1, kills not negative")
		_, _ = fmt.Fprintln(out, "storm:", err)
		return o, err
	}
	return o, nil
}

// run prepares a folder and a server, and lets the storm blow. It reports whether the server stood it.
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
			err = os.RemoveAll(dir)
			return
		}
		_, _ = fmt.Fprintln(out, "data and log of the server are in", dir)
	}()
	if o.server == "" {
		if o.server, err = child.Build(ctx, dir, o.race); err != nil {
			return false, err
		}
	}
	single, err := world.NewSingle(o.server, dir, o.kills)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, single.Close()) }()
	_, _ = fmt.Fprintf(out, "storm: seed %d, %d clients, %d messages, %d kills\n", o.Seed, o.Clients, o.Messages, o.kills)
	outcome := tempest.New(o.Settings, single, out).Run(ctx)
	return outcome.Print(out), nil
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
