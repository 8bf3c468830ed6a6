package scenario

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/yardstick"
)

// mustServe runs a yardstick in this process for the time of the test.
func mustServe(t *testing.T) Target {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	addr, ended := make(chan string, 1), make(chan error, 1)
	go func() { ended <- yardstick.Serve(ctx, "127.0.0.1:0", func(a string) { addr <- a }) }()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return Target{Addr: <-addr, PID: os.Getpid()}
}

func small() Load {
	return Load{Users: 10, InFlight: 3, Body: 64, Duration: 500 * time.Millisecond, Verify: true}
}

func TestRun_ClosedLoop(t *testing.T) {
	target := mustServe(t)
	for name, change := range map[string]func(*Load){
		"one way":      func(*Load) {},
		"both ways":    func(l *Load) { l.Duplex = true },
		"tiny bodies":  func(l *Load) { l.Body = 1 },
		"large bodies": func(l *Load) { l.Body = 20_000 },
		"warmed up":    func(l *Load) { l.Warmup = 200 * time.Millisecond },
		"unchecked":    func(l *Load) { l.Verify = false },
	} {
		t.Run(name, func(t *testing.T) {
			load := small()
			change(&load)
			r, err := Run(context.Background(), target, load, nil)
			require.NoError(t, err)
			require.Positive(t, r.Delivered)
			require.Positive(t, r.Proof.Count)
			require.Positive(t, r.Reach.Count)
			require.Positive(t, r.Lag.Count)
			require.Positive(t, r.RSS)
			require.LessOrEqual(t, r.Reach.P50, r.Proof.P50)
			require.Zero(t, r.Again)
			require.GreaterOrEqual(t, r.Usage.Wall, load.Duration)
		})
	}
}

func TestRun_EndsAtMax(t *testing.T) {
	load := small()
	load.Max, load.Duration = 1000, time.Minute
	r, err := Run(context.Background(), mustServe(t), load, nil)
	require.NoError(t, err)
	require.EqualValues(t, 1000, r.Delivered)
	require.Less(t, r.Usage.Wall, load.Duration)
}

func TestRun_OpenLoop(t *testing.T) {
	load := small()
	load.Rate, load.Max, load.Duration = 500, 300, time.Minute
	r, err := Run(context.Background(), mustServe(t), load, nil)
	require.NoError(t, err)
	require.EqualValues(t, 300, r.Delivered)
	require.EqualValues(t, 300, r.Proof.Count)
	require.EqualValues(t, 300, r.Reach.Count)
	require.EqualValues(t, 300, r.Lag.Count)
	// However late the machine is, a schedule is never ahead of its time.
	require.GreaterOrEqual(t, r.Usage.Wall, 550*time.Millisecond)
}

// Latency counts from the time a message was to leave, so the generator must not add to it, as a ticker between two messages did.
func TestRun_KeepsItsTimes(t *testing.T) {
	load := small()
	load.Rate, load.Max, load.Duration = 20, 20, time.Minute
	r, err := Run(context.Background(), mustServe(t), load, nil)
	require.NoError(t, err)
	interval := 1000 / load.Rate
	require.Less(t, r.Lag.P50, interval/2, "milliseconds; most leave an interval late")
}

func TestRun_ProgressLine(t *testing.T) {
	var out strings.Builder
	load := small()
	load.Duration, load.Max = 2500*time.Millisecond, 1e9
	_, err := Run(context.Background(), mustServe(t), load, NewProgress(&out, "small"))
	require.NoError(t, err)
	require.Contains(t, out.String(), "small: ")
	require.Contains(t, out.String(), " delivered, ")
	require.Contains(t, out.String(), " left")
}

func TestRun_StopsWithItsContext(t *testing.T) {
	load := small()
	load.Duration = time.Hour
	ctx, cancel := context.WithTimeout(context.Background(), 300*time.Millisecond)
	defer cancel()
	_, err := Run(ctx, mustServe(t), load, nil)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}

func TestRun_EndsWhenRefused(t *testing.T) {
	target := mustServe(t)
	runner, err := newTraffic(small())
	require.NoError(t, err)
	tokens, err := Login(context.Background(), target, 1) // nobody there to receive
	require.NoError(t, err)
	conns, err := connect(context.Background(), target, tokens, nil)
	require.NoError(t, err)
	defer leave(conns)
	runner.populate(conns)
	_, err = runner.drive(context.Background(), Site{Nodes: []Target{target}}, nil)
	var refused *RefusedError
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "unknown_user", refused.Code)
}

func TestRun_OnlyLoopback(t *testing.T) {
	_, err := Run(context.Background(), Target{Addr: "192.0.2.1:80"}, small(), nil)
	require.ErrorIs(t, err, wire.ErrNotLoopback)
	require.ErrorIs(t, yardstick.Serve(context.Background(), "0.0.0.0:0", nil), wire.ErrNotLoopback)
	require.ErrorIs(t, collect(context.Background(), "192.0.2.1:80"), wire.ErrNotLoopback)
}

func TestLoad_Validate(t *testing.T) {
	good := small()
	require.NoError(t, good.Validate())
	for name, change := range map[string]func(*Load){
		"users":     func(l *Load) { l.Users = 3 },
		"rate":      func(l *Load) { l.Rate = -1 },
		"in flight": func(l *Load) { l.InFlight = 0 },
		"body":      func(l *Load) { l.Body = 0 },
		"duration":  func(l *Load) { l.Duration = 0 },
	} {
		load := small()
		change(&load)
		require.ErrorContains(t, load.Validate(), name)
	}
}

func TestStorm(t *testing.T) {
	strangers, known, err := Storm(context.Background(), mustServe(t), 100, nil)
	require.NoError(t, err)
	for _, c := range []Connects{strangers, known} {
		require.Equal(t, 100, c.Clients)
		require.EqualValues(t, 100, c.Took.Count)
		require.Positive(t, c.PerSecond)
	}
	both := MergeConnects([]Connects{strangers, known})
	require.Equal(t, 200, both.Clients)
	require.EqualValues(t, 200, both.Took.Count)
}

func TestIdle(t *testing.T) {
	target := mustServe(t)
	called := false
	crowd, err := Idle(context.Background(), target, target.Addr, 100, func(context.Context) error { called = true; return nil }, nil)
	require.NoError(t, err)
	require.True(t, called)
	require.Equal(t, 100, crowd.Clients)
	require.Positive(t, crowd.Before)
	require.Positive(t, crowd.Settled)
	require.InDelta(t, float64(crowd.Settled-crowd.Before)/100, crowd.PerConnection, 1e-6)
	_, err = Idle(context.Background(), Target{Addr: target.Addr}, "", 1, nil, nil)
	require.Error(t, err)
}
