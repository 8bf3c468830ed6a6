package bench

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
	"github.com/yanlink/yanlink/deploy/services"
)

// options are the command line of bench and run.
type options struct {
	suite string
	only  string
	full  bool

	server   string // binary
	data     string
	database string // of clusters
	target   string // of run
	pid      int
	admin    string

	rounds   int
	users    int
	inFlight int
	body     int
	rate     float64
	duplex   bool
	warmup   time.Duration
	duration time.Duration
	max      int64
	clients  int
	fill     int64
	verify   bool

	json       string
	allowLag   bool
	maxLag     time.Duration
	maxOwn     float64
	maxForeign float64
	retries    int
	rest       time.Duration
	profile    string

	given *options // before what no flag said got its value
	quiet bool
}

var suites = []string{"figures", "pairs", "rate", "idle", "storm", "users", "ledger", "fill", "failover", "restart", "nodes", "standing", "neighbours", "soak"}

func (o *options) flags(output io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet("loadgen", flag.ContinueOnError)
	f.SetOutput(output)
	f.Usage = func() {
		_, _ = io.WriteString(output, usage)
		f.PrintDefaults()
	}
	f.StringVar(&o.suite, "suite", "figures", "what to run: one of the suites above")
	f.StringVar(&o.only, "only", "", "yardstick or yanlink: run only that one, without ratios")
	f.BoolVar(&o.full, "full", false, "full sizes and times instead of short ones, where no flag says otherwise")
	f.StringVar(&o.server, "server", "", "Yanlink `binary`; built with the go command when not given")
	f.StringVar(&o.data, "data", "", "`folder` of Yanlink's ledger, kept and used again; an empty temporary one for each start when not given")
	f.StringVar(&o.database, "database", string(services.MariaDB), "what the clusters of nodes, failover and restart keep their ledger in: mariadb or postgres")
	f.StringVar(&o.target, "target", "", "run: loopback `address` of the server")
	f.IntVar(&o.pid, "pid", 0, "run: the server's process, to know what it costs")
	f.StringVar(&o.admin, "admin", "", "run: loopback `address` where the server has /debug/pprof")
	f.IntVar(&o.rounds, "rounds", 0, "how often both servers, or both ledgers, take their turn (default 1, of pairs and storm 2, with -full 3, of ledger 6)")
	f.IntVar(&o.users, "users", 0, "users of pairs, rate, ledger, fill and neighbours; two to a pair (default 1000, of neighbours 100)")
	f.IntVar(&o.inFlight, "inflight", 4, "closed loop: messages in flight from each pair")
	f.IntVar(&o.body, "body", 128, "`bytes` of a message")
	f.Float64Var(&o.rate, "rate", 0, "open loop: messages a second (default 2000, for users 4000, for neighbours 500, of soak half of saturation)")
	f.BoolVar(&o.duplex, "duplex", false, "both users of a pair send")
	f.DurationVar(&o.warmup, "warmup", 2*time.Second, "time before the measured part")
	f.DurationVar(&o.duration, "duration", 0, "measured time of one run (default 8s, of rate and neighbours 15s, of standing and soak 60s; with -full 20s, of rate 60s, of neighbours and ledger 30s, of soak 30m)")
	f.Int64Var(&o.max, "max", 0, "end a run after that many messages (default no limit but -duration)")
	f.IntVar(&o.clients, "clients", 0, "connections of idle, standing, storm, failover and restart (default 2000, with -full 10000, of storm 5000)")
	f.Int64Var(&o.fill, "fill", 0, "messages to fill the ledger with (default 100000, with -full 5000000)")
	f.BoolVar(&o.verify, "verify", false, "decode every frame and check once-and-in-order; slows the generator down")
	f.StringVar(&o.json, "json", "", "`file` for the raw results")
	f.BoolVar(&o.allowLag, "allow-lag", false, "report a spoiled run all the same, marked as such")
	f.DurationVar(&o.maxLag, "max-lag", time.Millisecond, "open loop: how late the generator's p99 may be")
	f.Float64Var(&o.maxOwn, "max-own", 0.5, "part of the machine's processor time that the generator may take")
	f.Float64Var(&o.maxForeign, "max-foreign", 0.10, "part of it that processes other than the two may take")
	f.IntVar(&o.retries, "retries", 2, "how often a spoiled run is run again before it is given up")
	f.DurationVar(&o.rest, "rest", 5*time.Second, "how long a filled server is left alone before it is measured")
	f.StringVar(&o.profile, "profile", "", "`folder` for processor profiles of the servers, taken during the measured part of traffic")
	f.BoolVar(&o.quiet, "quiet", false, "no progress lines")
	return f
}

func parse(args []string, output io.Writer) (*options, error) {
	o := &options{}
	f := o.flags(output)
	if err := f.Parse(args); err != nil {
		return nil, err
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("%q is no flag", f.Arg(0))
	}
	if !slices.Contains(suites, o.suite) {
		return nil, fmt.Errorf("-suite %q: one of %v", o.suite, suites)
	}
	if o.only != "" && o.only != nameYardstick && o.only != nameYanlink {
		return nil, fmt.Errorf("-only %q: %s or %s", o.only, nameYardstick, nameYanlink)
	}
	if _, ok := storeDrivers[services.Kind(o.database)]; !ok {
		return nil, fmt.Errorf("-database %q: %s or %s", o.database, services.MariaDB, services.Postgres)
	}
	given := *o
	o.given = &given
	o.fillIn()
	load := o.load()
	return o, load.Validate()
}

// forRun checks what only run needs.
func (o *options) forRun() error {
	if o.target == "" {
		return errors.New("run needs -target")
	}
	if o.admin != "" {
		if err := wire.Loopback(o.admin); err != nil {
			return err
		}
	}
	if slices.Contains([]string{"figures", "ledger", "failover", "restart", "nodes", "standing"}, o.suite) {
		return fmt.Errorf("the suite %s starts servers of its own: use bench", o.suite)
	}
	return wire.Loopback(o.target)
}

// fillIn gives what no flag said its value.
func (o *options) fillIn() {
	pick := func(short, full int) int {
		if o.full {
			return full
		}
		return short
	}
	orInt(&o.fill, int64(pick(100_000, 5_000_000)))
	switch o.suite {
	case "rate":
		orInt(&o.duration, time.Duration(pick(15, 60))*time.Second)
		orInt(&o.rounds, 1)
	case "nodes":
		orInt(&o.duration, time.Duration(pick(15, 30))*time.Second)
		orInt(&o.rounds, 1)
	case "neighbours":
		orInt(&o.users, 100)
		orInt(&o.rate, 500)
		orInt(&o.duration, time.Duration(pick(15, 30))*time.Second)
		orInt(&o.rounds, pick(1, 3))
	case "soak":
		orInt(&o.duration, time.Duration(pick(60, 1800))*time.Second)
	case "ledger":
		// A large ledger is compacted in rounds, one in half a minute at full speed: a shorter time measures whether one falls into it.
		orInt(&o.duration, time.Duration(pick(8, 30))*time.Second)
		orInt(&o.rounds, pick(1, 6))
	case "standing":
		orInt(&o.duration, time.Minute)
		orInt(&o.clients, pick(2000, 10_000))
	case "idle", "failover", "restart":
		orInt(&o.clients, pick(2000, 10_000))
		orInt(&o.rounds, 1)
	case "storm":
		orInt(&o.clients, pick(2000, 5000))
		orInt(&o.rounds, pick(2, 3))
	case "pairs":
		orInt(&o.rounds, pick(2, 3))
	default:
		orInt(&o.rounds, 1)
	}
	orInt(&o.users, 1000)
	orInt(&o.duration, time.Duration(pick(8, 20))*time.Second)
}

func orInt[T ~int | ~int64 | ~float64](value *T, otherwise T) {
	if *value == 0 {
		*value = otherwise
	}
}

func (o *options) load() scenario.Load {
	return scenario.Load{
		Users: o.users, InFlight: o.inFlight, Body: o.body, Duplex: o.duplex, Warmup: o.warmup, Duration: o.duration,
		Max: o.max, Verify: o.verify,
	}
}
