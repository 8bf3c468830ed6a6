// Package bench is the load generator's command line: it starts the servers under test, runs scenarios against them,
// and reports what they cost as ratios of one to the other.
package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/yardstick"
)

// What the program exits with.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitSpoiled = 3 // the generator, or others on the machine, spoiled the run; nothing is reported
	exitUnmet   = 4 // a bound is not met
)

const usage = `loadgen loads a server on this machine and says what it costs.

  loadgen bench [flags]                starts the yardstick and Yanlink in turn, runs a suite against both, prints ratios
  loadgen run -target ADDR [flags]     runs one suite against a server that is already running
  loadgen yardstick [-listen ADDR]     the yardstick itself: a bare relay that stores nothing

Suites (-suite):
  pairs    closed loop: pairs of users with a number of messages in flight each, through all six frames
  rate     open loop: a fixed rate from a schedule; latency counts from the time a message was to be sent
  idle     memory of connections that say nothing
  storm    connects a second, strangers and known
  users    processor time of a message at a fixed rate, by the number of users
  ledger   processor time of a message on an empty ledger and after -fill messages
  fill     -fill messages, as fast as they go
  failover a cluster of three nodes: one is killed, and all its clients are to be elsewhere and miss nothing
  restart  the same cluster: each node is restarted in order, and no client is to notice more than a move
  nodes    two nodes, sender and recipient apart: latency, cost, and what each message asks of database, registry and broker
  standing statements a second that connections which say nothing cost MariaDB, and PostgreSQL
  neighbours
           one client misbehaves, in one way after the other: what becomes of the others' latency
  soak     half of what the server carries, for long: does what it holds grow?
  figures  everything that has a bound, and whether it is met

Examples:
  loadgen bench                                        the figures, in short runs
  loadgen bench -full -json figures.json               the figures, at full size
  loadgen bench -suite pairs -rounds 3 -duration 10s   in turn, three times each
  loadgen bench -suite rate -rate 2000 -duration 30s
  loadgen bench -suite ledger -fill 5000000 -data ./ledger
  loadgen run -target 127.0.0.1:8084 -pid 4711 -suite pairs -verify

Targets are loopback addresses only. A run that the generator spoiled, by falling behind its own schedule or by
wanting for processor time, ends with status 3 and the reason; -allow-lag prints it all the same, marked.
A bound that is not met ends with status 4.

Variables YANLINK_* reach the server, so that settings can be tried: YANLINK_LEDGER_COMMITINTERVAL=2ms loadgen bench ...

Flags of bench and run:
`

// Main runs the command line args and returns what to exit with.
func Main(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	switch command {
	case "bench":
		return benchmark(ctx, args[1:], stdout, stderr)
	case "run":
		return single(ctx, args[1:], stdout, stderr)
	case "yardstick":
		return relay(ctx, args[1:], stdout, stderr)
	case neighbourCommand: // what the suite neighbours starts
		return neighbour(ctx, args[1:], stdout, stderr)
	case "-h", "-help", "--help", "help":
		printUsage(stdout)
		return exitOK
	default:
		printUsage(stderr)
		return exitUsage
	}
}

func printUsage(w io.Writer) {
	var o options
	o.flags(w).Usage()
}

func relay(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("yardstick", flag.ContinueOnError)
	flags.SetOutput(stderr)
	listen := flags.String("listen", "127.0.0.1:0", "loopback `address` to listen on")
	if err := flags.Parse(args); err != nil {
		return usageCode(err)
	}
	return exit(stderr, yardstick.Serve(ctx, *listen, func(addr string) {
		_, _ = fmt.Fprintf(stdout, "yardstick on http://%s\n", addr)
	}))
}

func usageCode(err error) int {
	if errors.Is(err, flag.ErrHelp) {
		return exitOK
	}
	return exitUsage
}

func exit(stderr io.Writer, err error) int {
	var spoiled *SpoiledError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &spoiled), errors.Is(err, scenario.ErrBehind):
		_, _ = fmt.Fprintln(stderr, "loadgen:", err)
		return exitSpoiled
	case errors.Is(err, errUnmet):
		_, _ = fmt.Fprintln(stderr, "loadgen:", err)
		return exitUnmet
	default:
		_, _ = fmt.Fprintln(stderr, "loadgen:", err)
		return exitFailed
	}
}
