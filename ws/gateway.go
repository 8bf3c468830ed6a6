package ws

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"sync"
	"sync/atomic"
	"time"

	"github.com/olahol/melody"

	"github.com/yanlink/yanlink/ws/protocol"
)

// The states of a Gateway.
const (
	stateNew int32 = iota
	stateRunning
	stateDraining
	stateStopped
)

// pongSlack is how much longer melody waits for a pong than HeartbeatAfter: the engine closes silent sessions itself,
// with a code that tells the client what to do, and counts any frame as life where melody counts pongs alone.
const pongSlack = 24 * time.Hour

// Gateway is the engine: it takes connections and messages, writes them to the ledger, and delivers them until they are
// acknowledged. It is safe for concurrent use. New starts nothing; Start and Stop are called once each.
type Gateway struct {
	opt        Options
	log        *slog.Logger
	store      Store
	melody     *melody.Melody
	hub        *hub
	committers committers
	dispatcher *dispatcher
	cluster    *cluster // nil: this node is alone
	outbox     *outbox  // nil: nobody is told of anything
	watch      *presenceWatch
	wheel      *wheel
	work       *workQueue
	names      *names
	ids        sessionIDs
	zombies    *zombies
	reconciler reconciler
	dates      *protocol.Dates
	started    time.Time
	clock      *clock
	epoch      uint64 // as clients are told it
	dismissals atomic.Uint64

	state    atomic.Int32
	ctx      context.Context
	cancel   context.CancelFunc
	serving  context.Context // of what sessions ask for; ends when they have been asked to go
	endServe context.CancelFunc
	open     *openSessions
	wg       sync.WaitGroup // the engine's own
	writing  sync.WaitGroup // committers and dispatcher
	rechecks chan struct{}  // places for re-checks under way
	later    *later
	stopOnce sync.Once
	stopped  chan struct{}
	stopErr  error
}

var nodeID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// New builds a Gateway on a store. It starts nothing, and does not take the store over: whoever opened it closes it,
// after Stop.
func New(store Store, opt Options) (*Gateway, error) {
	if store == nil {
		return nil, errors.New("ws: a store is needed")
	}
	if !nodeID.MatchString(opt.NodeID) {
		return nil, fmt.Errorf("ws: NodeID %q: it is 1 to 64 letters, digits, - or _", opt.NodeID)
	}
	opt.setDefaults()
	g := &Gateway{opt: opt, log: opt.Log, store: store, melody: melody.New(), started: time.Now(), stopped: make(chan struct{})}
	g.clock, g.epoch = newClock(opt.Clock, store), shownEpoch(store)
	g.hub = newHub(paceLimits{perSecond: opt.FramesPerSecond, burst: opt.FrameBurst})
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.serving, g.endServe = context.WithCancel(g.ctx)
	g.dates = protocol.NewDates(opt.Zone)
	g.names = newNames(store)
	g.ids.advertise = opt.Advertise
	g.ids.zone = opt.Zone
	g.zombies = newZombies(g.mono)
	g.work = newWorkQueue()
	g.open = newOpenSessions()
	g.rechecks = make(chan struct{}, maxRechecks)
	g.later = newLater()
	g.wheel = newWheel(g.mono)
	g.dispatcher = newDispatcher(g)
	g.committers = newCommitters(g)
	g.cluster = newCluster(g)
	g.watch = newPresenceWatch(g)
	g.setUpMelody()
	var err error
	g.outbox, err = newOutbox(g)
	return g, err
}

func (g *Gateway) setUpMelody() {
	m := g.melody
	m.Config.WriteWait = g.opt.WriteTimeout
	m.Config.PingPeriod = g.opt.HeartbeatEvery
	m.Config.PongWait = g.opt.HeartbeatAfter + pongSlack
	m.Config.MaxMessageSize = int64(2 * g.opt.FrameBytes)
	m.Config.MessageBufferSize = melodyBuffer
	m.Upgrader.HandshakeTimeout = g.opt.WriteTimeout
	m.Upgrader.ReadBufferSize = 1024
	m.Upgrader.WriteBufferPool = &sync.Pool{}
	m.Upgrader.Subprotocols = []string{"yanlink.v1"}
	m.HandleConnect(g.connected)
	g.listen()
}

// Start joins the cluster, if there is one, and starts the engine's goroutines. ctx bounds the start only. A
// *NodeTakenError says that another process lives under this node's name.
func (g *Gateway) Start(ctx context.Context) error {
	if !g.state.CompareAndSwap(stateNew, stateRunning) {
		return errors.New("ws: a Gateway is started once")
	}
	if g.cluster != nil {
		if err := g.cluster.start(ctx); err != nil {
			g.state.Store(stateNew)
			return err
		}
	}
	if err := g.checkClock(ctx); err != nil {
		g.log.Warn("the node goes by its own clock until the database says what time it is", "error", err)
	}
	if g.outbox != nil {
		g.outbox.start()
	}
	g.writing.Go(func() {
		defer close(g.dispatcher.queue)
		g.committers.run()
	})
	g.writing.Go(g.dispatcher.run)
	g.wg.Go(func() { g.wheel.run(g.ctx) })
	g.wg.Go(func() { g.reconciler.run(g) })
	g.wg.Go(g.upkeep)
	if g.clock.teller != nil {
		g.wg.Go(g.keepClock)
	}
	g.wg.Go(func() { g.later.run(g.ctx, g) })
	g.wg.Go(func() { g.watch.run(g.ctx) })
	g.wg.Go(func() { g.names.run(g.ctx) })
	g.wg.Go(func() { (&scheduler{g: g}).run(g.serving) })
	for range g.opt.CatchUpWorkers {
		g.wg.Go(func() { g.work.run(g.ctx) })
	}
	return nil
}

// Drain refuses new connections from now on. Sessions go on.
func (g *Gateway) Drain() {
	if g.state.CompareAndSwap(stateRunning, stateDraining) && g.cluster != nil {
		g.cluster.beatSoon()
	}
}

// Stop closes the sessions with 1012, spread over DrainSpread, commits what is in flight and ends every goroutine, all
// as far as ctx allows; when ctx ends first, sessions are cut, and the ledger makes that safe. Further calls wait for
// the first one and return its result.
func (g *Gateway) Stop(ctx context.Context) error {
	g.stopOnce.Do(func() {
		defer close(g.stopped)
		if g.state.Swap(stateStopped) == stateNew {
			g.cancel()
			return
		}
		g.stopErr = g.stop(ctx)
	})
	<-g.stopped
	return g.stopErr
}

func (g *Gateway) stop(ctx context.Context) error {
	g.open.close()
	g.closeSessions(ctx)
	g.endServe()
	err := g.open.wait(ctx)
	if err != nil {
		for _, s := range g.open.all() {
			s.cut()
		}
		err = fmt.Errorf("sessions were cut: %w", err)
		cut, cancel := afterCut()
		defer cancel()
		_ = g.open.wait(cut) // nothing holds them but a ledger that hangs
	}
	g.committers.stop()
	if late := wait(ctx, &g.writing); late != nil {
		// The ledger hangs. What is under way there is safe if it was answered, and asked for again if not.
		err = errors.Join(err, fmt.Errorf("the ledger did not finish: %w", late))
		g.cancel()
		return err
	}
	if g.cluster != nil {
		g.cluster.stop(ctx)
	}
	if g.outbox != nil {
		g.outbox.stop(ctx)
	}
	g.cancel()
	if g.cluster != nil {
		g.cluster.sending.Wait() // what it still does, ends with that
	}
	if wait(ctx, &g.wg) == nil {
		return err
	}
	cut, cancel := afterCut()
	defer cancel()
	if stuck := wait(cut, &g.wg); stuck != nil {
		err = errors.Join(err, fmt.Errorf("something waits for the ledger yet: %w", stuck))
	}
	return err
}

// cutTime is how long what was cut may take to end once Stop's own time is over.
const cutTime = 5 * time.Second

func afterCut() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), cutTime)
}

// closeSessions asks every client to go elsewhere, evenly spread so that the others are not stormed.
func (g *Gateway) closeSessions(ctx context.Context) {
	sessions := g.hub.all()
	if len(sessions) == 0 {
		return
	}
	pause := g.opt.DrainSpread / time.Duration(len(sessions))
	next := time.Now()
	for _, s := range sessions {
		s.close(protocol.CloseRestart, "the node restarts")
		next = next.Add(pause)
		if ahead := time.Until(next); ahead > time.Millisecond && ctx.Err() == nil {
			select {
			case <-time.After(ahead):
			case <-ctx.Done():
			}
		}
	}
}

func wait(ctx context.Context, group *sync.WaitGroup) error {
	done := make(chan struct{})
	go func() {
		group.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Health says how the engine is.
func (g *Gateway) Health(context.Context) Health {
	h := Health{Dependencies: make(map[string]string)}
	switch g.state.Load() {
	case stateNew:
		h.Status = "starting"
	case stateRunning:
		h.Ready, h.Status = true, "ok"
	case stateDraining:
		h.Status = "draining"
	default:
		h.Status = "stopped"
	}
	if g.cluster != nil {
		g.cluster.health(&h)
	}
	if g.outbox != nil {
		g.outbox.relay.health(&h)
	}
	h.Report("ledger", !g.committers.refusing(), "refuses writes; see the log")
	return h
}

// now is the wall clock, mono a clock that never jumps: records carry the one, waiting goes by the other.
func (g *Gateway) now() Millis  { return g.clock.now() }
func (g *Gateway) mono() Millis { return millis(time.Since(g.started)) + 1 }

// callItem is any other op, for a caller that waits.
type callItem struct {
	what Op
	done chan struct{}
	then func(d *dispatcher)
}

func (it *callItem) op() Op       { return it.what }
func (it *callItem) stamp(Millis) {}
func (it *callItem) kept() bool   { return false }

func (it *callItem) refused(err error) {
	it.what.Result().Err = err
	close(it.done)
}

func (it *callItem) committed(d *dispatcher) {
	if it.then != nil && it.what.Result().Err == nil {
		it.then(d)
	}
	close(it.done)
}

// write commits op and waits for it.
func (g *Gateway) write(ctx context.Context, op Op) error { return g.writeThen(ctx, op, nil) }

// writeThen is write, with what follows from the commit in the dispatcher's order.
func (g *Gateway) writeThen(ctx context.Context, op Op, then func(*dispatcher)) error {
	it := &callItem{what: op, done: make(chan struct{}), then: then}
	if err := g.submitAndWait(ctx, it, it.done); err != nil {
		return err
	}
	return op.Result().Err
}

func errSlowWrite(ctx context.Context) error {
	return &protocol.Error{Code: protocol.Overloaded, Message: "it took too long to write", Cause: ctx.Err()}
}

// Write commits an operation that concerns no session, such as AcceptToken or BanUser, and waits for it.
func (g *Gateway) Write(ctx context.Context, op Op) error {
	if err := g.write(ctx, op); err != nil {
		return err
	}
	if accepted, ok := op.(*AcceptToken); ok {
		g.renamed(accepted.Token.OpenID, accepted.Name)
	}
	return nil
}
