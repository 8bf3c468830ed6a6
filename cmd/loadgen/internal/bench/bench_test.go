package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/configs"
)

// TestMain lets the test program be both servers, the yardstick and what the launcher takes for Yanlink, and a bad neighbour.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-config" {
		os.Exit(pretend(os.Args[2]))
	}
	if len(os.Args) > 1 && os.Args[1] == "yardstick" {
		os.Exit(Main(context.Background(), os.Args[1:], os.Stdout, os.Stderr))
	}
	if len(os.Args) > 1 && os.Args[1] == neighbourCommand {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
		defer stop()
		os.Exit(Main(ctx, os.Args[1:], os.Stdout, os.Stderr))
	}
	os.Exit(m.Run())
}

// pretend serves the yardstick where the configuration says, and its profiles at the admin address.
func pretend(config string) int {
	raw, err := os.ReadFile(config)
	listen := regexp.MustCompile(`(?s)listen: "(.*?)".*admin: "(.*?)"`).FindSubmatch(raw)
	if err != nil || listen == nil {
		return exitFailed
	}
	go Main(context.Background(), []string{"yardstick", "-listen", string(listen[2])}, os.Stdout, os.Stderr)
	return Main(context.Background(), []string{"yardstick", "-listen", string(listen[1])}, os.Stdout, os.Stderr)
}

// call runs the program with short times.
func call(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = Main(context.Background(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// short are the flags of a run that is over soon, whatever else the machine does.
func short(args ...string) []string {
	return append([]string{
		"bench", "-server", os.Args[0], "-users", "20", "-clients", "50", "-warmup", "100ms", "-duration", "600ms",
		"-rounds", "1", "-fill", "500", "-rest", "1ms", "-max-foreign", "1", "-max-own", "1", "-max-lag", "1m",
	}, args...)
}

func TestBench_Suites(t *testing.T) {
	for suite, prints := range map[string][]string{
		"pairs":  {"server CPU per delivered message at saturation", "rate at saturation", "× yardstick", "CPU-s/1M"},
		"rate":   {"send to arrival, p99.9", "≤ 8"},
		"storm":  {"connects a second, strangers", "≥ 0.8", "connects/s"},
		"ledger": {"CPU per message after 500 messages", "ledger, filled"},
		"fill":   {"fill"},
	} {
		t.Run(suite, func(t *testing.T) {
			code, stdout, stderr := call(t, short("-suite", suite)...)
			require.Equal(t, exitOK, code, stderr)
			for _, text := range prints {
				require.Contains(t, stdout, text)
			}
			require.NotContains(t, stdout, "SPOILED")
		})
	}
}

func TestBench_Figures(t *testing.T) {
	file := filepath.Join(t.TempDir(), "figures.json")
	code, stdout, stderr := call(t, short("-json", file, "-quiet")...)
	require.Contains(t, []int{exitOK, exitUnmet}, code, stderr) // the yardstick beside itself, on a busy machine
	require.Empty(t, stderr[:len(stderr)-len(stderrLine(code))])
	require.Contains(t, stdout, "memory of an idle connection")

	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var report Report
	require.NoError(t, json.Unmarshal(raw, &report))
	require.Len(t, report.Figures, 2+3+1+2+2+1)
	require.Equal(t, report.unmet(), code == exitUnmet)
	servers := map[string]int{}
	for _, run := range report.Runs {
		servers[run.Server]++
		if run.Traffic != nil {
			require.Positive(t, run.Traffic.Delivered, run.Suite)
			require.Positive(t, run.Traffic.PerSecond, run.Suite)
		}
	}
	require.Equal(t, 7, servers[nameYardstick])
	require.Equal(t, 7+3, servers[nameYanlink])
}

func TestBench_Neighbours(t *testing.T) {
	var unanswered []scenario.Trouble
	for _, duration := range []string{"600ms", "3s", "12s"} { // neighbours have the lowest priority: on a busy machine nothing is left for a short one
		if unanswered = besideNeighbours(t, duration); len(unanswered) == 0 {
			return
		}
	}
	require.Empty(t, unanswered, "neighbours that nobody answered")
}

// besideNeighbours runs the suite and returns the neighbours who got no answer.
func besideNeighbours(t *testing.T, duration string) (unanswered []scenario.Trouble) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "neighbours.json")
	code, stdout, stderr := call(t, short("-suite", "neighbours", "-json", file, "-duration", duration)...)
	require.Contains(t, []int{exitOK, exitUnmet}, code, stderr) // the yardstick has no limits
	require.Contains(t, stdout, "beside half-open, p50")
	raw, err := os.ReadFile(file)
	require.NoError(t, err)
	var report Report
	require.NoError(t, json.Unmarshal(raw, &report))
	require.Len(t, report.Figures, 2+(len(troubles)-1)*3+1)
	require.Len(t, report.Runs, len(troubles))
	require.Nil(t, report.Runs[0].Neighbour)
	answers := map[scenario.Trouble]string{
		scenario.TroubleConnects: "101", scenario.TroubleReconnects: "101", scenario.TroubleFrames: "frame 0", scenario.TroubleCalls: "404", // the yardstick has no such call
	}
	for i, run := range report.Runs[1:] {
		did := run.Neighbour
		require.Equal(t, troubles[i+1], did.Trouble)
		require.Positive(t, did.CPU)
		require.Positive(t, run.Traffic.Delivered)
		if answer := answers[did.Trouble]; answer != "" && did.Answers[answer] == 0 {
			t.Logf("in %s %s got %v for %d attempts", did.Wall, did.Trouble, did.Answers, did.Attempts)
			unanswered = append(unanswered, did.Trouble)
		}
	}
	return unanswered
}

func TestSettings_LimitsAreWhatIsMeasured(t *testing.T) {
	o, err := parse([]string{"-suite", "neighbours", "-server", os.Args[0]}, os.Stderr)
	require.NoError(t, err)
	l, err := newLauncher(t.Context(), o, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	file, err := l.configure("127.0.0.1:1", "127.0.0.1:2", "")
	require.NoError(t, err)
	config, err := configs.Load(file)
	require.NoError(t, err)
	require.Equal(t, configs.Default().Limits, config.Limits)
}

// A kept ledger is the large one; what is compared with it is empty.
func TestLauncher_Empty(t *testing.T) {
	kept := t.TempDir()
	o, err := parse([]string{"-suite", "ledger", "-server", os.Args[0], "-data", kept}, os.Stderr)
	require.NoError(t, err)
	l, err := newLauncher(t.Context(), o, nil)
	require.NoError(t, err)
	defer func() { require.NoError(t, l.Close()) }()
	folder := func(e *endpoint, err error) string {
		require.NoError(t, err)
		require.NoError(t, e.stop())
		config, err := configs.Load(filepath.Join(l.dir, fmt.Sprintf("yanlink-%d.yaml", l.starts)))
		require.NoError(t, err)
		return config.Store.Dir
	}
	require.Equal(t, kept, folder(l.start(t.Context(), nameYanlink)))
	require.NotEqual(t, kept, folder(l.startEmpty(t.Context())))
}

// What the large ledger's server does between its turns is compaction that they have caused.
func TestLarge_Cost(t *testing.T) {
	run := scenario.Merge(nil)
	run.Delivered, run.Usage = 1000, measure.Usage{Wall: time.Second, Server: 2 * time.Second}
	l := large{runs: []scenario.Result{run, run}, between: time.Second}
	require.InDelta(t, 2500, l.cost(), 1e-6)
}

func stderrLine(code int) string {
	if code == exitUnmet {
		return "loadgen: " + errUnmet.Error() + "\n"
	}
	return ""
}

func TestBench_RefusesWhatItSpoiled(t *testing.T) {
	args := short("-suite", "rate", "-only", "yardstick", "-retries", "1", "-max-lag", "1ns")
	code, stdout, stderr := call(t, args...)
	require.Equal(t, exitSpoiled, code)
	require.Empty(t, stdout)
	require.Contains(t, stderr, "the generator's own lag was")
	require.Contains(t, stderr, "once more")

	code, stdout, stderr = call(t, append(args, "-allow-lag")...)
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, "SPOILED: ")
}

func TestRun_AgainstAServerThatRuns(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	out := make(addresses, 1)
	ended := make(chan int, 1)
	go func() { ended <- Main(ctx, []string{"yardstick"}, out, os.Stderr) }()
	addr := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(<-out)
	code, stdout, stderr := call(t, "run", "-target", addr, "-suite", "pairs", "-verify", "-users", "4", "-warmup", "0s",
		"-rounds", "1", "-duration", "300ms", "-max-own", "1", "-quiet")
	require.Equal(t, exitOK, code, stderr)
	require.Contains(t, stdout, addr)
	cancel()
	require.Equal(t, exitOK, <-ended)
}

// addresses passes on what is written to it.
type addresses chan string

func (a addresses) Write(p []byte) (int, error) {
	a <- string(p)
	return len(p), nil
}

func TestMain_RefusesWhatItCannotRun(t *testing.T) {
	for name, c := range map[string]struct {
		args []string
		says string
	}{
		"nothing":       {nil, "Examples:"},
		"unknown":       {[]string{"dance"}, "Examples:"},
		"suite":         {[]string{"bench", "-suite", "dance"}, "-suite"},
		"contender":     {[]string{"bench", "-only", "nobody"}, "-only"},
		"argument":      {[]string{"bench", "pairs"}, "no flag"},
		"odd users":     {[]string{"bench", "-users", "3"}, "even"},
		"no target":     {[]string{"run", "-suite", "pairs"}, "-target"},
		"far target":    {[]string{"run", "-suite", "pairs", "-target", "10.0.0.1:8084"}, "loopback"},
		"far admin":     {[]string{"run", "-suite", "idle", "-target", "127.0.0.1:1", "-admin", "10.0.0.1:80"}, "loopback"},
		"database":      {[]string{"bench", "-suite", "nodes", "-database", "oracle"}, "-database"},
		"needs servers": {[]string{"run", "-target", "127.0.0.1:1"}, "use bench"},
	} {
		t.Run(name, func(t *testing.T) {
			code, _, stderr := call(t, c.args...)
			require.Equal(t, exitUsage, code)
			require.Contains(t, stderr, c.says)
		})
	}
	code, _, stderr := call(t, "yardstick", "-listen", "0.0.0.0:0")
	require.Equal(t, exitFailed, code)
	require.Contains(t, stderr, "loopback")
	code, stdout, _ := call(t, "--help")
	require.Equal(t, exitOK, code)
	require.Contains(t, stdout, "Examples:")
	require.Contains(t, stdout, "-allow-lag")
}

func TestSpoils(t *testing.T) {
	s := spoils{lag: time.Millisecond, own: 0.5, foreign: 0.25}
	second := scenario.Result{Usage: measure.Usage{Wall: time.Second}}
	capacity := time.Duration(float64(time.Second) / second.Usage.Share(time.Second))
	require.Empty(t, s.traffic("x", second, true))

	late := second
	late.Lag.P99 = 1.1
	require.Len(t, s.traffic("x", late, true), 1)
	require.Empty(t, s.traffic("x", late, false), "a closed loop has no schedule to be late for")

	greedy := second
	greedy.Usage.Own, greedy.Usage.Foreign = capacity*6/10, capacity*3/10
	reasons := s.traffic("x", greedy, false)
	require.Len(t, reasons, 2)
	require.Contains(t, reasons[0], "the generator took 60 %")
	require.Contains(t, reasons[1], "other processes took 30 %")
}

func TestBound(t *testing.T) {
	require.True(t, atMost(2).Holds(2))
	require.False(t, atMost(2).Holds(2.01))
	require.True(t, atLeast(2).Holds(2))
	require.False(t, atLeast(2).Holds(1.99))
	require.True(t, (*Bound)(nil).Holds(1e9))
	require.Equal(t, "≤ 1.7", atMost(1.7).String())
	require.Equal(t, "≥ 0.8", atLeast(0.8).String())
}

func TestSpread(t *testing.T) {
	require.InEpsilon(t, 50, spread([]float64{30, 20, 25}), 1e-9)
	require.Zero(t, spread([]float64{7}))
	require.Zero(t, spread(nil))
}

func TestOptions_SizesGiveWayToFlags(t *testing.T) {
	o, err := parse([]string{"-full"}, os.Stderr)
	require.NoError(t, err)
	require.EqualValues(t, 5_000_000, o.fill)
	o, err = parse([]string{"-full", "-fill", "7", "-suite", "rate", "-duration", "3s"}, os.Stderr)
	require.NoError(t, err)
	require.EqualValues(t, 7, o.fill)
	require.Equal(t, 3*time.Second, o.duration)
}

func TestSettings_AreWhatTheServerReads(t *testing.T) {
	l := &launcher{dir: t.TempDir(), limits: unlimited}
	e, err := l.configure("127.0.0.1:1", "127.0.0.1:2", "")
	require.NoError(t, err)
	config, err := configs.Load(e)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:1", config.Server.Listen)
	require.Zero(t, config.Limits.FramesPerSecond)
	require.Zero(t, config.Drain.Spread)
	require.True(t, config.SSO.Dev, "the generator logs in at the development SSO")
}
