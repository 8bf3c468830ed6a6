package tempest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/clients/memory"
	"github.com/yanlink/yanlink/cmd/storm/internal/fault"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// within is a world in this process: nodes on one ledger, which talk to each other through memory.
type within struct {
	nodes     []*inProcess
	store     *wstest.MemStore
	directory *memory.Directory
	broker    *memory.Broker
	series    func(*within, *rand.Rand) []fault.Series
}

// alone is a world of one node.
func alone(spoil func([]ws.Op), kills int) *within {
	store := wstest.NewMemStore()
	return &within{
		store: store, nodes: []*inProcess{{store: store, spoil: spoil, id: "n1"}},
		series: func(w *within, r *rand.Rand) []fault.Series { return []fault.Series{w.kills(r, kills)} },
	}
}

// together is a world of three nodes.
func together(series func(*within, *rand.Rand) []fault.Series) *within {
	w := &within{
		store: wstest.NewMemStore(), directory: memory.NewDirectory(memory.DirectoryOptions{NodeTTL: time.Second}),
		broker: memory.NewBroker(memory.BrokerOptions{}), series: series,
	}
	for n := range 3 {
		w.nodes = append(w.nodes, &inProcess{store: w.store, id: fmt.Sprintf("n%d", n+1), link: &link{within: w}})
	}
	return w
}

func (w *within) Start(ctx context.Context) error {
	var starts errgroup.Group
	for _, node := range w.nodes {
		starts.Go(func() error { return node.Start(ctx) })
	}
	return starts.Wait()
}

func (w *within) Nodes() (urls []string) {
	for _, node := range w.nodes {
		urls = append(urls, "http://"+node.address)
	}
	return urls
}

func (w *within) Login(_ context.Context, openID string) (string, error) { return openID, nil }

func (w *within) Series(r *rand.Rand) []fault.Series { return w.series(w, r) }

func (w *within) Alive() error { return nil }

func (w *within) Stop() error {
	var errs []error
	for _, node := range w.nodes {
		errs = append(errs, node.Stop())
	}
	return errors.Join(errs...)
}

func (w *within) Check(context.Context) error { return nil }

// kills is a series of kills of any node.
func (w *within) kills(r *rand.Rand, n int) (kills fault.Series) {
	for range n {
		i := r.IntN(len(w.nodes))
		node := w.nodes[i]
		kills = append(kills, fault.One(fault.Fault{
			Name: "kill", Node: i + 1, Mend: node.Start, Strike: func(context.Context) error { return node.Kill() },
		}, time.Duration(r.Int64N(int64(500*time.Millisecond)))))
	}
	return kills
}

// busDead, registryGone and ledgerDead are what befalls all nodes at once.
func (w *within) busDead() fault.Fault {
	return does("stop of the bus", w.broker.Stop, w.broker.Start)
}

func (w *within) registryDead() fault.Fault {
	return does("stop of the registry", func() { w.failRegistry(errDead) }, func() { w.failRegistry(nil) })
}

func (w *within) registryFlushed() fault.Fault {
	return does("flush of the registry", w.directory.Forget, func() {})
}

func (w *within) ledgerDead() fault.Fault {
	return does("stop of the ledger", func() { w.failLedger(ws.ErrUnavailable) }, func() { w.failLedger(nil) }).OfLedger()
}

var errDead = errors.New("it is dead")

func (w *within) failRegistry(err error) {
	for _, node := range w.nodes {
		node.link.fail(err)
	}
}

func (w *within) failLedger(err error) {
	w.store.FailCommits(err)
	w.store.FailReads(err)
}

func does(name string, strike, mend func()) fault.Fault {
	wrap := func(do func()) func(context.Context) error {
		return func(context.Context) error { do(); return nil }
	}
	return fault.Fault{Name: name, Strike: wrap(strike), Mend: wrap(mend)}
}
