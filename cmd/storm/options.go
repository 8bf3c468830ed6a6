package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/tempest"
	"github.com/yanlink/yanlink/deploy/services"
)

type options struct {
	tempest.Settings
	store   string
	nodes   int // 0: one, which keeps everything to itself
	kills   int
	outages int
	server  string
	dir     string
	race    bool
	timeout time.Duration
}

// single and cluster are the sizes of a storm unless flags say otherwise. Of its messages, delayed ones that are cancelled are never
// sent: 20,000 and 30,000 are.
var (
	single = options{
		Settings: tempest.Settings{Messages: 20_200, Over: 45 * time.Second, Settle: 30 * time.Second},
		store:    "pebble", kills: 8, timeout: 5 * time.Minute,
	}
	cluster = options{
		Settings: tempest.Settings{Messages: 30_300, Over: 3 * time.Minute, Settle: time.Minute},
		store:    "mysql", nodes: 3, kills: 40, outages: 20, timeout: 15 * time.Minute,
	}
)

// stores are the databases that a cluster can have, by store.driver.
var stores = map[string]services.Kind{"mysql": services.MariaDB, "postgres": services.Postgres}

func parse(args []string, out io.Writer) (options, error) {
	o, err := parseOver(single, args, out)
	if _, shared := stores[o.store]; shared && err == nil {
		o, err = parseOver(cluster, args, out)
	}
	if err != nil {
		return o, err
	}
	if err := o.validate(); err != nil {
		_, _ = fmt.Fprintln(out, "storm:", err)
		return o, err
	}
	return o, nil
}

func parseOver(o options, args []string, out io.Writer) (options, error) {
	flags := flag.NewFlagSet("storm", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&o.store, "store", o.store, "pebble for one node; mysql or postgres for a cluster, with other defaults: 30,300 messages over 3 minutes, 40 kills, 20 outages")
	flags.IntVar(&o.nodes, "nodes", o.nodes, "nodes of a cluster")
	flags.IntVar(&o.Clients, "clients", 40, "users, half as many pairs; every fifth has a second device besides")
	flags.IntVar(&o.Messages, "messages", o.Messages, "messages in all")
	flags.IntVar(&o.kills, "kills", o.kills, "how often a node is killed with SIGKILL")
	flags.IntVar(&o.outages, "outages", o.outages, "how often a cluster's services are struck")
	flags.DurationVar(&o.Over, "over", o.Over, "how long the messages are spread over; 0: as fast as it goes")
	flags.DurationVar(&o.Settle, "settle", o.Settle, "how long to wait, without anything new, for what is missing in the end")
	flags.Uint64Var(&o.Seed, "seed", rand.Uint64N(1_000_000), "of everything random but the machine's own timing")
	flags.StringVar(&o.server, "server", "", "the server's binary; built from this module if empty")
	flags.BoolVar(&o.race, "race", false, "build the server with the race detector")
	flags.StringVar(&o.dir, "dir", "", "an empty folder for data and logs; a temporary one, removed after success, if empty")
	flags.DurationVar(&o.timeout, "timeout", o.timeout, "after which the storm has failed")
	return o, flags.Parse(args)
}

func (o *options) validate() error {
	_, shared := stores[o.store]
	switch {
	case o.Clients < 2 || o.Clients%2 != 0 || o.Messages < 1 || o.kills < 0 || o.outages < 0:
		return errors.New("clients come in pairs, messages are at least 1, kills and outages not negative")
	case !shared && o.store != single.store:
		return fmt.Errorf("-store is pebble, mysql or postgres, not %q", o.store)
	case shared != (o.nodes > 0), !shared && o.outages > 0:
		return errors.New("-nodes and -outages go with -store mysql or postgres")
	}
	return nil
}

// String says what blows, without what only this machine knows.
func (o *options) String() string {
	text := fmt.Sprintf("seed %d, %d clients, %d messages, %d kills", o.Seed, o.Clients, o.Messages, o.kills)
	if o.nodes > 0 {
		text += fmt.Sprintf(", %d outages, %d nodes on %s", o.outages, o.nodes, o.store)
	}
	return text
}
