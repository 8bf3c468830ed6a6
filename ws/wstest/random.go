package wstest

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

var (
	randomRuns    = flag.Int("wstest.runs", 8, "random runs of the store suite")
	randomBatches = flag.Int("wstest.batches", 40, "batches in a random run of the store suite")
	randomSeed    = flag.Uint64("wstest.seed", 0, "repeat the random run with this seed only; 0: runs with new seeds")
)

// StoreReopened checks that a backend holds after a restart what it held before: the random part of Store with the
// ledger closed and opened again between batches. ledger returns what opens one new ledger, as often as it is called;
// it is closed before each further call.
func StoreReopened(t *testing.T, ledger func(t *testing.T) (open func() ws.Store)) {
	randomSeeds(t, func(t *testing.T, seed uint64) {
		open := ledger(t)
		p := newPair(t, func(*testing.T) ws.Store { return open() }, seed)
		p.reopen = open
		p.run()
	})
}

// randomStore commits random batches to the store under test and to a MemStore, and compares after each batch what
// became of every op and everything that can be read.
func randomStore(t *testing.T, open func(t *testing.T) ws.Store) {
	randomSeeds(t, func(t *testing.T, seed uint64) { newPair(t, open, seed).run() })
}

// randomSeeds runs check for each seed that the flags ask for.
func randomSeeds(t *testing.T, check func(t *testing.T, seed uint64)) {
	seeds := []uint64{*randomSeed}
	if *randomSeed == 0 {
		seeds = seeds[:0]
		start := uint64(time.Now().UnixNano())
		for i := range *randomRuns {
			seeds = append(seeds, start+uint64(i))
		}
	}
	for _, seed := range seeds {
		t.Run(fmt.Sprintf("seed=%d", seed), func(t *testing.T) {
			t.Parallel()
			defer func() {
				if t.Failed() {
					t.Logf("repeat with -wstest.seed=%d -wstest.batches=%d", seed, *randomBatches)
				}
			}()
			check(t, seed)
		})
	}
}

// pair is the store under test beside its model. The two may give conversations, scheduled messages and events
// different ids, so ops name them by what they are and are built once for each store.
type pair struct {
	*rand.Rand
	tested, model *subject
	now           ws.Millis
	dissolved     map[string]bool
	scheduled     []scheduledPair
	reopen        func() ws.Store // nil: the store stays open
	log           []string        // what was committed, for a failure
}

type scheduledPair struct{ tested, model uint64 }

// action is an op to be: build makes it for one of the stores.
type action struct {
	what  string
	build func(v view) ws.Op
}

// view is one of the two stores, as actions see it.
type view struct {
	*subject
	scheduledIDs []uint64
}

func newPair(t *testing.T, open func(t *testing.T) ws.Store, seed uint64) *pair {
	p := &pair{
		Rand:      rand.New(rand.NewPCG(seed, 1)),
		tested:    newSubject(t, open),
		model:     newSubject(t, func(*testing.T) ws.Store { return NewMemStore() }),
		now:       1_700_000_000_000,
		dissolved: map[string]bool{},
	}
	for _, v := range p.views() {
		v.populate(p.now)
	}
	return p
}

// populate makes what most random ops are about.
func (v view) populate(at ws.Millis) {
	for i, user := range randomUsers[:4] {
		at := at + ws.Millis(i)
		v.holds(
			&ws.PutUser{OpenID: user, Name: "name of " + user, At: at},
			&ws.OpenDevice{User: user, Device: randomDevices[0], At: at, FirstEpoch: uint64(at)},
		)
	}
	for i, key := range randomGroups {
		v.holds(&ws.CreateGroup{Key: key, Name: key, By: randomUsers[i], Users: randomUsers[2:3], Record: ws.Record{CreatedAt: at}})
	}
}

func (p *pair) views() [2]view {
	var tested, model []uint64
	for _, ids := range p.scheduled {
		tested, model = append(tested, ids.tested), append(model, ids.model)
	}
	return [2]view{{p.tested, tested}, {p.model, model}}
}

func (p *pair) run() {
	for range *randomBatches {
		p.step()
		if p.reopen != nil && p.IntN(4) == 0 {
			p.restart()
		}
	}
}

// restart closes the store under test and opens it again. The first store's own cleanup finds it closed.
func (p *pair) restart() {
	secret := p.tested.Secret()
	require.NoError(p.tested, p.tested.Close())
	store := p.reopen()
	p.tested.Cleanup(func() { _ = store.Close() })
	p.tested.Store = store
	require.Equal(p.tested, store.Secret(), secret, "the ledger has another secret")
	p.log = append(p.log, "restart")
	p.compare()
}

// step commits one random batch to both stores and compares them.
func (p *pair) step() {
	actions := make([]action, 1+p.IntN(10))
	for i := range actions {
		actions[i] = p.action()
	}
	if p.IntN(40) == 0 {
		actions = append(actions, p.dissolve())
	}
	var batches [2][]ws.Op
	for i, v := range p.views() {
		for _, a := range actions {
			batches[i] = append(batches[i], a.build(v))
		}
		v.commit(batches[i]...)
	}
	p.log = append(p.log, "commit")
	for i, a := range actions {
		got, want := batches[0][i], batches[1][i]
		p.log = append(p.log, fmt.Sprintf("\t%s -> %v", a.what, want.Result().Err))
		require.Equal(p.tested, outcome(p.model, want), outcome(p.tested, got), "%s\n%s", a.what, p)
		if s, ok := want.(*ws.Schedule); ok && s.Err == nil && !s.Duplicate {
			p.scheduled = append(p.scheduled, scheduledPair{got.(*ws.Schedule).Scheduled.ID, s.Scheduled.ID})
		}
	}
	p.compare()
}

// String is the end of what was committed.
func (p *pair) String() string {
	text := ""
	for _, line := range p.log[max(0, len(p.log)-60):] {
		text += line + "\n"
	}
	return text
}
