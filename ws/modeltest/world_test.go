package modeltest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing/synctest"
	"time"

	"github.com/yanlink/yanlink/ws"
)

const (
	users       = 10
	perUser     = 3
	resendAfter = 500 * time.Millisecond
	resends     = 3
	beatEvery   = 4 * time.Second
	beatAfter   = 10 * time.Second
	tabAfter    = 5 * time.Second
	recallFor   = 30 * time.Second
	retryAfter  = 250 * time.Millisecond
	// settling is how long a step waits for what does not happen at once, such as the commits.
	settling = 100 * time.Millisecond
)

// setting is what differs from run to run.
type setting struct {
	window, windowBytes, page, batch int
	ownToAll                         bool
}

func randomSetting(rng *rand.Rand) setting {
	pick := func(choices ...int) int { return choices[rng.IntN(len(choices))] }
	return setting{
		window: pick(1, 2, 4, 8, 64), windowBytes: pick(600, 4000, 1<<20, 1<<20), page: pick(1, 3, 128),
		batch: pick(1, 3, 1024), ownToAll: rng.IntN(8) == 0,
	}
}

func (s setting) options() ws.Options {
	return ws.Options{
		NodeID: "n1", Advertise: "127.0.0.1:8084", Zone: time.UTC, FramesPerSecond: -1, DrainSpread: time.Millisecond,
		DevicesPerUser: -1, SessionsPerUser: -1, HeartbeatEvery: beatEvery, HeartbeatAfter: beatAfter,
		Window: s.window, WindowBytes: s.windowBytes, PageRecords: s.page, CommitBatch: s.batch,
		ResendAfter: resendAfter, Resends: resends, EphemeralAfter: tabAfter, RecallWindow: recallFor,
		NoSenderDevices: s.ownToAll, CommitInterval: 20 * time.Microsecond,
	}
}

// world is one run: the server, the clients, the model, and what became of the present step.
type world struct {
	setting setting
	disk    disk
	ledger  ws.Store
	node    *node
	model   *model
	clients []*client
	conns   []*conn
	serial  int
	sent    []*sending      // all that were ever tried
	extra   map[*record]int // acknowledgements that had to be repeated: each may cause another 17

	asks     []ask
	created  []*opening
	crashed  bool
	ill      bool           // the ledger was ill
	counts   map[string]int // of what came about, see tally_test.go
	log      []string
	problems []string
}

func newWorld(s setting, d disk) (*world, error) {
	w := &world{setting: s, disk: d, model: newModel(), extra: map[*record]int{}, counts: map[string]int{}}
	w.model.ownToAll = s.ownToAll
	for u := range users {
		for i := range perUser {
			name, v1 := []string{"phone", "web", "~tab"}[i], true
			if i == 2 && u%2 == 1 {
				name, v1 = "old", false
			}
			c := newClient(fmt.Sprintf("u%d", u), name, v1)
			w.clients = append(w.clients, c)
			w.model.device(c.user, c.device, v1)
		}
	}
	return w, w.boot()
}

// boot starts a node on what the disk holds. After an error there is neither node nor ledger.
func (w *world) boot() error {
	w.ledger, w.node = nil, nil
	ledger, err := w.disk.open()
	if err != nil {
		return err
	}
	n, err := startNode(ledger, w.setting.options(), w.disk.cut)
	if err != nil {
		w.disk.close(ledger)
		return err
	}
	w.ledger, w.node = ledger, n
	return nil
}

func (w *world) logf(format string, args ...any) {
	w.log = append(w.log, time.Now().Format("04:05.000 ")+fmt.Sprintf(format, args...))
}

// wrong notes a difference between what is seen and what the model says.
func (w *world) wrong(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.problems = append(w.problems, text)
	w.logf("WRONG: %s", text)
}

// run takes the steps until one shows a difference.
func (w *world) run(steps []step) {
	for i, s := range steps {
		w.model.step = i + 1
		w.logf("step %d: %s", i+1, s)
		w.take(s)
		if len(w.problems) > 0 {
			return
		}
	}
	w.finish()
}

// take takes one step and compares.
func (w *world) take(s step) {
	w.asks, w.created, w.crashed, w.ill = nil, nil, false, s.ill != healthy
	if s.fuse > 0 {
		w.node.arm(s.fuse, s.when)
	}
	w.node.infect(s.ill)
	for _, o := range s.ops {
		if w.do(o); w.node == nil {
			return
		}
	}
	w.recover()
	w.quiet()
	if s.fuse > 0 {
		w.node.die()
	}
	if w.node.isDead() {
		w.crash()
	}
	if w.node != nil {
		w.compare()
	}
}

// recover ends an illness, and waits for what the engine retries, and for what its reconciler finds.
func (w *world) recover() {
	if !w.ill {
		return
	}
	time.Sleep(2 * retryAfter)
	w.node.infect(healthy)
	time.Sleep(3 * time.Second)
}

func (w *world) quiet() {
	time.Sleep(settling)
	synctest.Wait()
}

// crash buries a node that died, and starts the next one on what is left.
func (w *world) crash() {
	w.crashed = true
	w.counts["crash"]++
	w.logf("the node is dead")
	if err := w.node.stop(); err != nil {
		w.wrong("the dead node did not stop: %v", err)
	}
	w.disk.close(w.ledger)
	if err := w.boot(); err != nil {
		w.wrong("the ledger did not open after a crash: %v", err)
		return
	}
	w.quiet()
}

// restart stops a node as a release does, and starts the next one.
func (w *world) restart() {
	if err := w.node.stop(); err != nil {
		w.wrong("the node did not stop: %v", err)
	}
	w.disk.close(w.ledger)
	w.crashed = true
	if err := w.boot(); err != nil {
		w.wrong("the next node did not start: %v", err)
	}
}

// close ends everything, so that the bubble can end.
func (w *world) close() {
	if w.node != nil {
		w.node.die()
		_ = w.node.stop()
	}
	for _, k := range w.conns {
		k.pipe.cut()
		<-k.done
	}
	if w.ledger != nil {
		w.disk.close(w.ledger)
	}
}

// read calls f with a bounded context for a read of the ledger; not_found is no error.
func (w *world) read(f func(ctx context.Context) error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := f(ctx); err != nil && !errors.Is(err, ws.ErrNotFound) {
		w.wrong("the ledger cannot be read: %v", err)
	}
}

// threadsOf lists a user's threads in a fixed order.
func (m *model) threadsOf(user string) []*thread {
	var found []*thread
	for _, t := range m.threads {
		if t.has(user) {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b *thread) int {
		if a.id < b.id {
			return -1
		}
		return 1
	})
	return found
}

// sortedThreads lists all threads in a fixed order.
func (m *model) sortedThreads() []*thread {
	var found []*thread
	for _, id := range slices.Sorted(maps.Keys(m.byID)) {
		found = append(found, m.byID[id])
	}
	return found
}
