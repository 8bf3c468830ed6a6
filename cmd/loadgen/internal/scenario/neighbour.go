package scenario

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

// Trouble is how a bad neighbour behaves.
type Trouble string

// The troubles there are.
const (
	TroubleConnects   Trouble = "connects"   // begins connects at the rate, whatever became of those before, and leaves
	TroubleReconnects Trouble = "reconnects" // connects hundreds at a time, each again as soon as it has ended, up to the rate
	TroubleFrames     Trouble = "frames"     // sends messages at the rate over one connection
	TroubleSyncs      Trouble = "syncs"      // asks at the rate over one connection what it has missed
	TroubleCalls      Trouble = "calls"      // makes REST calls at the rate over connections that it keeps
	TroubleHalfOpen   Trouble = "half-open"  // begins hundreds of requests and finishes none
)

// neighbourName is the openid of a bad neighbour.
const neighbourName = "neighbour"

// neighbourTimeout bounds a bad neighbour's connects and calls.
const neighbourTimeout = 2 * time.Second

// Neighbour is what a bad neighbour did, and what it got for it.
type Neighbour struct {
	Trouble   Trouble          `json:"trouble"`
	Wall      time.Duration    `json:"wall_ns"`
	CPU       time.Duration    `json:"cpu_ns"`     // its own
	Attempts  int64            `json:"attempts"`   // connects, frames or calls
	PerSecond float64          `json:"per_second"` // attempts
	Answers   map[string]int64 `json:"answers"`
}

// Misbehave makes trouble for a server from a loopback address of its own, until ctx ends; that is no error.
func Misbehave(ctx context.Context, target Target, from netip.Addr, trouble Trouble, rate float64) (Neighbour, error) {
	if !from.IsLoopback() || rate <= 0 {
		return Neighbour{}, errors.New("a bad neighbour needs a loopback address and a rate")
	}
	v := &vandal{addr: target.Addr, dial: wire.Rude{From: from}, rate: rate, began: time.Now(), answers: map[string]int64{}}
	act := map[Trouble]func(context.Context) error{
		TroubleConnects: v.connects, TroubleReconnects: v.reconnects, TroubleFrames: v.messages, TroubleSyncs: v.syncs,
		TroubleCalls: v.calls, TroubleHalfOpen: v.halfOpen,
	}[trouble]
	if act == nil {
		return Neighbour{}, fmt.Errorf("%q is no trouble that is known", trouble)
	}
	tokens, err := loginAll(ctx, target, []string{neighbourName})
	if err != nil {
		return Neighbour{}, err
	}
	v.token = tokens[0]
	err = act(ctx)
	if ctx.Err() != nil {
		err = nil
	}
	return v.result(trouble), err
}

// vandal is a bad neighbour at work.
type vandal struct {
	addr  string
	dial  wire.Rude
	token string
	rate  float64
	began time.Time

	mu       sync.Mutex
	attempts int64
	answers  map[string]int64
}

// next waits for the time of the next attempt, if it is not over, and reports whether there is to be one.
func (v *vandal) next(ctx context.Context) bool {
	v.mu.Lock()
	v.attempts++
	due := v.began.Add(time.Duration(float64(v.attempts) / v.rate * float64(time.Second)))
	v.mu.Unlock()
	if wait := time.Until(due); wait > 0 {
		return sleep(ctx, wait) == nil
	}
	return ctx.Err() == nil
}

func (v *vandal) got(answer string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.answers[answer]++
}

func (v *vandal) result(trouble Trouble) Neighbour {
	v.mu.Lock()
	defer v.mu.Unlock()
	n := Neighbour{Trouble: trouble, Wall: time.Since(v.began), Attempts: v.attempts - v.answers[notBegun], Answers: v.answers}
	n.PerSecond = ratio(float64(n.Attempts), n.Wall.Seconds())
	n.CPU, _ = measure.OwnCPU() // a figure that stands beside the others
	return n
}

// many runs work at so many places at once until ctx ends.
func many(n int, work func()) error {
	var group errgroup.Group
	for range n {
		group.Go(func() error { work(); return nil })
	}
	return group.Wait()
}
