package ws

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// scheduleEvery is how often the ledger is asked which delayed messages are due until it is asked again, scheduleBatch how
	// many of them are kept in mind, and scheduleTick how often they are looked at.
	scheduleEvery = time.Second
	scheduleBatch = 512
	scheduleTick  = 100 * time.Millisecond
	// scheduleSpread bounds how long after its time a node of a cluster turns to a delayed message.
	scheduleSpread Millis = 300
)

// scheduler sends delayed messages when their time has come. Every node does: whoever commits a message first has sent
// it, and to the others it is gone. So that they seldom try at the same time, each turns to each message at a moment of
// its own.
type scheduler struct {
	g       *Gateway
	failing bool
	due     []Scheduled // soon, by their time
	readAt  time.Time   // when to ask the ledger again
}

// run works until ctx ends.
func (s *scheduler) run(ctx context.Context) {
	ticker := time.NewTicker(scheduleTick)
	defer ticker.Stop()
	for {
		for s.pass(ctx) {
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// pass sends what is due. It reports whether there is more to do at once.
func (s *scheduler) pass(ctx context.Context) (more bool) {
	if now := time.Now(); !now.Before(s.readAt) {
		s.due = s.read(ctx)
		s.readAt = now.Add(scheduleEvery)
	}
	full := len(s.due) == scheduleBatch
	sent := s.await(s.fire())
	if more = full && sent > 0; more {
		s.readAt = time.Time{}
	}
	return more
}

// read lists what is due before the ledger is asked again; nothing while it does not say.
func (s *scheduler) read(ctx context.Context) []Scheduled {
	read, cancel := context.WithTimeout(ctx, s.g.opt.CommitTimeout)
	defer cancel()
	due, err := s.g.store.DueScheduled(read, s.g.now()+millis(scheduleEvery), scheduleBatch)
	failing := err != nil && ctx.Err() == nil
	if failing && !s.failing {
		s.g.log.Warn("it cannot be seen which delayed messages are due; they are sent later", "error", err)
	}
	s.failing = failing
	return due
}

// fire sends those that this node turns to now.
func (s *scheduler) fire() (items []*fireItem) {
	now := s.g.now()
	s.due = slices.DeleteFunc(s.due, func(due Scheduled) bool {
		if due.DueAt+s.turn(due.ID) > now {
			return false
		}
		it := s.g.newFire(&due)
		if s.g.committers.submit(it) != nil {
			return false // the ledger refuses, or enough waits to be written: it comes later
		}
		items = append(items, it)
		return true
	})
	return items
}

// await waits for what is being sent and returns how much of it was.
func (s *scheduler) await(items []*fireItem) (sent int) {
	for _, it := range items {
		select {
		case <-it.done:
		case <-s.g.ctx.Done():
			return sent
		}
		if it.Err == nil {
			sent++
		}
	}
	return sent
}

// turn is how long after its time this node turns to a message.
func (s *scheduler) turn(id uint64) Millis {
	if s.g.cluster == nil {
		return 0
	}
	return Millis(hashOf(s.g.opt.NodeID+strconv.FormatUint(id, 10)) % uint64(scheduleSpread))
}

// fireItem is a delayed message that is sent now.
type fireItem struct {
	FireScheduled
	done chan struct{}
}

func (g *Gateway) newFire(s *Scheduled) *fireItem {
	return &fireItem{
		done: make(chan struct{}),
		FireScheduled: FireScheduled{
			ID: s.ID, Node: g.opt.NodeID, Events: g.eventsOfSend(),
			// Where it goes, so that it keeps its place among what is sent there.
			Sent: Send{To: s.To, Group: s.Group, Record: Record{Sender: s.Draft.Sender}},
		},
	}
}

func (it *fireItem) op() Op           { return &it.FireScheduled }
func (it *fireItem) stamp(now Millis) { it.At = now }
func (it *fireItem) kept() bool       { return false }

func (it *fireItem) refused(err error) {
	it.Err = err
	close(it.done)
}

func (it *fireItem) committed(d *dispatcher) {
	defer close(it.done)
	if it.Err == nil {
		d.g.opt.Metrics.Message("accepted", 1)
		d.deliver(&it.Sent.Record, it.Sent.Members, it.Sent.To)
		return
	}
	if coded := protocol.AsError(it.Err); coded.Code != protocol.NotFound { // else another node sent it, or it was cancelled
		d.g.opt.Metrics.Message(string(coded.Code), 1)
		d.g.log.Info("a delayed message may not be sent any more; it is cancelled", "from", it.Sent.Record.Sender, "error", coded)
	}
}
