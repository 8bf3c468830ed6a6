package ws

import (
	"context"
	"strings"
	"sync"
	"time"
)

const (
	// commitSlack is how much longer than CommitTimeout a record may take from its stamp to being readable.
	commitSlack = time.Second
	// doubtfulPasses is how many fast passes are made in the time of one while doorbells may be lost.
	doubtfulPasses = 5
)

// reconciler is the net beneath delivery: it compares what the ledger holds with what sessions have next, so that a
// doorbell that was lost costs time and never a message.
type reconciler struct {
	mu         sync.Mutex
	dispatched map[ConversationID]uint64 // heads that were offered here since the last pass but one
	before     map[ConversationID]uint64

	lists memberLists // the run goroutine's own
}

// noteDispatched spares the fast pass what sessions here were offered. Of what came over the bus nobody knows whether both of its users,
// if both are here, were told.
func (g *Gateway) noteDispatched(rec *Record) {
	r := &g.reconciler
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.dispatched == nil {
		r.dispatched = make(map[ConversationID]uint64)
	}
	r.dispatched[rec.Conversation] = max(r.dispatched[rec.Conversation], rec.Seq)
}

func (r *reconciler) offered(head Head) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return max(r.dispatched[head.Conversation], r.before[head.Conversation]) >= head.Last
}

// turn starts a new generation of what was dispatched.
func (r *reconciler) turn() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.before, r.dispatched = r.dispatched, nil
}

// run makes the passes until the gateway ends.
func (r *reconciler) run(g *Gateway) {
	ticker := time.NewTicker(g.opt.ReconcileEvery / doubtfulPasses)
	defer ticker.Stop()
	// At first as far back as ever after, which lets a ledger remember that far instead of looking through everything again.
	since, slow := g.now()-g.reach(), slowPass{g: g}
	for tick := 0; ; tick++ {
		select {
		case <-g.ctx.Done():
			return
		case <-ticker.C:
		}
		if tick%doubtfulPasses != 0 && !g.cluster.doubtful() {
			continue
		}
		began := g.now()
		if err := r.fastPass(g, since); g.serving.Err() != nil {
			continue // the gateway is stopping
		} else if err != nil {
			g.log.Warn("a reconciler pass failed; the next one covers it", "error", err)
		} else {
			since = began - g.reach()
		}
		if tick%doubtfulPasses != 0 {
			continue
		}
		r.turn()
		slow.step()
		g.opt.Metrics.Queue("commit", g.committers.depth())
		g.opt.Metrics.Queue("catchup", g.work.depth())
		g.opt.Metrics.Queue("dispatch", len(g.dispatcher.queue))
	}
}

// reach is how much older than the last pass a record may be that the next one has to see.
func (g *Gateway) reach() Millis {
	return millis(g.opt.ReconcileEvery + g.opt.CommitTimeout + commitSlack)
}

// fastPass tells sessions of records that were committed since, but for those that were noted as dispatched.
func (r *reconciler) fastPass(g *Gateway, since Millis) error {
	ctx, cancel := g.readContext()
	defer cancel()
	heads, err := g.store.Updated(ctx, since)
	if err != nil {
		r.lists.forget() // the ledger may be another server's when it is back
		return err
	}
	for _, head := range heads {
		if r.offered(head) {
			continue
		}
		if err := g.ring(ctx, head); err != nil {
			return err
		}
	}
	return nil
}

// ring tells the local sessions of a conversation's members how far it has come.
func (g *Gateway) ring(ctx context.Context, head Head) error {
	switch head.Kind {
	case System:
		for _, s := range g.hub.all() {
			s.hear(head.Conversation, head.Last)
		}
		return nil
	case Direct:
		a, b, _ := strings.Cut(head.Key, ",")
		g.ringUser(a, head)
		if a != b {
			g.ringUser(b, head)
		}
		return nil
	}
	members, err := g.reconciler.lists.of(ctx, g.store, head)
	if err != nil {
		return err
	}
	for _, member := range members {
		g.ringUser(member, head)
	}
	return nil
}

func (g *Gateway) ringUser(user string, head Head) {
	for _, s := range g.hub.sessions(user) {
		s.hear(head.Conversation, head.Last)
	}
}

func (s *Session) seenDevice() *SeenDevice {
	return &SeenDevice{User: s.user, Device: s.device, At: s.g.now()}
}

// leftDevice records when a session ended; it is not worth waiting for, or trying again.
func (g *Gateway) leftDevice(s *Session) {
	it := &callItem{what: s.seenDevice(), done: make(chan struct{})}
	if err := g.committers.submit(it); err != nil {
		g.log.Debug("last seen was not written", "session", s.id, "error", err)
	}
}
