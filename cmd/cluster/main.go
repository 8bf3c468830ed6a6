// Command cluster runs a cluster on this machine to look at: three nodes on one database, one Redis and one RocketMQ,
// behind one address.
//
//	go run ./cmd/services up && go run ./cmd/cluster
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
	"sync"
	"syscall"
	"time"

	"github.com/yanlink/yanlink/deploy/services"
)

const usage = `Cluster runs nodes of Yanlink on this machine, behind one address. It needs the servers that "make services" starts.

usage: cluster [flags]

Open the page in several windows, log in as several people: it shows on which node each of them is. Kill a node with
kill -9: the conversation goes on, and the node comes back by itself.

`

// settings are what the flags say.
type settings struct {
	nodes   int
	listen  string
	store   string
	restart time.Duration
}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	var s settings
	flag.IntVar(&s.nodes, "nodes", 3, "how many nodes")
	flag.StringVar(&s.listen, "listen", "127.0.0.1:8080", "the address in front of them")
	flag.StringVar(&s.store, "store", "mysql", "what keeps the ledger: mysql or postgres")
	flag.DurationVar(&s.restart, "restart", 10*time.Second, "after what time a node that ended is started again")
	flag.Usage = func() {
		_, _ = fmt.Fprint(flag.CommandLine.Output(), usage)
		flag.PrintDefaults()
	}
	flag.Parse()
	if err := run(ctx, s, os.Stdout); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

// run runs the cluster until ctx ends.
func run(ctx context.Context, s settings, out io.Writer) error {
	kinds := map[string]services.Kind{"mysql": services.MariaDB, "postgres": services.Postgres}
	kind, ok := kinds[s.store]
	if !ok {
		return fmt.Errorf("-store %s is unknown; use mysql or postgres", s.store)
	}
	for _, kind := range []services.Kind{kind, services.Redis, services.Broker} {
		if err := services.Default(kind).Ready(ctx); err != nil {
			return fmt.Errorf("%s is not ready; run make services first: %w", kind, err)
		}
	}
	dir, err := os.MkdirTemp("", "yanlink-cluster-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	program := filepath.Join(dir, "yanlink")
	if err := build(ctx, program); err != nil {
		return err
	}
	dsn := services.Default(kind).DSN(services.Database)
	var nodes []*node
	for i := range s.nodes {
		n, err := newNode(fmt.Sprintf("n%d", i+1), program, dir, s.store, dsn, out)
		if err != nil {
			return err
		}
		nodes = append(nodes, n)
	}
	return serve(ctx, s, nodes, out)
}

// serve runs the nodes and what stands in front of them until ctx ends or one cannot be started.
func serve(ctx context.Context, s settings, nodes []*node, out io.Writer) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var running sync.WaitGroup
	failed := make(chan error, len(nodes)+1)
	for _, n := range nodes {
		running.Go(func() { failed <- n.run(ctx, s.restart) })
	}
	running.Go(func() { failed <- front(ctx, s.listen, nodes) })
	_, _ = fmt.Fprintf(out, "open http://%s/?admin in several windows; Ctrl-C ends it\n", s.listen)
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	cancel()
	running.Wait()
	close(failed)
	for late := range failed {
		err = errors.Join(err, late)
	}
	return err
}
