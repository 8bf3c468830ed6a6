package ws

import (
	"context"
	"encoding/json"
	"fmt"
	"sync/atomic"
	"time"
)

const (
	// relayBatch is how many pending events are looked at together, and maxRelayBatch how many while those before the
	// rest wait for another attempt. More is never read: the order of a key can be told within one reading only, as a
	// database may show an event with a lower number later. The alert YanlinkEventsWaiting goes by relayBatch.
	relayBatch    = 512
	maxRelayBatch = 16 * relayBatch
	// savedAtOnce bounds the events whose outcome is written in one commit.
	savedAtOnce = 1024
	// countEvery is how often dead events are counted, up to maxCounted.
	countEvery = 10 * time.Second
	maxCounted = 1000
	// waitedLong is the age of a pending event from which on something is wrong.
	waitedLong = 30 * time.Second
)

// relay sends pending events, those of one topic and key in the order of their ids. An event that cannot be sent holds up
// those of its key until it is sent or dead.
type relay struct {
	o       *outbox
	batch   int
	unsaved []Op // what became of events, where the ledger does not know it yet
	countAt Millis
	dead    int
	oldest  atomic.Int64 // the oldest pending event's At; 0: none
}

func newRelay(o *outbox) *relay { return &relay{o: o, batch: relayBatch} }

// pass sends what is due of one batch. It reports whether there is more to do at once.
func (r *relay) pass(ctx context.Context) (more bool) {
	if !r.save(ctx) {
		return false
	}
	read, cancel := context.WithTimeout(ctx, r.o.g.opt.CommitTimeout)
	defer cancel()
	events, err := r.o.g.store.Events(read, EventPending, 0, r.batch)
	if err != nil {
		if ctx.Err() == nil {
			r.o.g.log.Warn("the outgoing events were not read; they are sent later", "error", err)
		}
		return false
	}
	r.note(read, events)
	partitions := partitionsOf(events, r.o.g.now())
	full := len(events) == r.batch
	if full && len(partitions) == 0 {
		r.batch = min(2*r.batch, maxRelayBatch)
	} else {
		r.batch = relayBatch
	}
	done := r.o.publish(ctx, partitions)
	r.unsaved = done.ops
	return r.save(ctx) && full && done.published > 0
}

// partition is what events keep their order in.
type partition struct{ topic, key string }

// partitionsOf sorts events into partitions, in order, and leaves out those whose first event waits for another attempt.
func partitionsOf(events []Event, now Millis) [][]Event {
	const waits = -1
	at := make(map[partition]int)
	var found [][]Event
	for _, e := range events {
		of := partition{e.Topic, e.Key}
		i, known := at[of]
		switch {
		case !known && e.NextAttemptAt > now:
			at[of] = waits
		case !known:
			at[of] = len(found)
			found = append(found, []Event{e})
		case i != waits:
			found[i] = append(found[i], e)
		}
	}
	return found
}

// save writes what became of events. What the ledger does not take is tried again before anything else is sent.
func (r *relay) save(ctx context.Context) bool {
	for len(r.unsaved) > 0 {
		n := min(len(r.unsaved), savedAtOnce)
		if err := r.o.commit(ctx, r.unsaved[:n]...); err != nil {
			r.o.g.log.Warn("the ledger did not take what became of outgoing events; it is tried again", "events", len(r.unsaved), "error", err)
			return false
		}
		r.unsaved = r.unsaved[n:]
	}
	return true
}

// note measures what waits.
func (r *relay) note(ctx context.Context, pending []Event) {
	oldest := Millis(0)
	if len(pending) > 0 {
		var p eventPayload
		if json.Unmarshal(pending[0].Payload, &p) == nil {
			oldest = p.At
		}
	}
	r.oldest.Store(int64(oldest))
	if now := r.o.g.mono(); now >= r.countAt {
		r.countAt = now + millis(countEvery)
		if dead, err := r.o.g.store.Events(ctx, EventDead, 0, maxCounted); err == nil {
			r.dead = len(dead)
		}
	}
	r.o.g.opt.Metrics.Outbox(len(pending), r.dead)
}

// rest forgets what another node measures now.
func (r *relay) rest() {
	r.oldest.Store(0)
	r.o.g.opt.Metrics.Outbox(0, 0)
}

// health says that events wait for long.
func (r *relay) health(h *Health) {
	waited := time.Duration(0)
	if oldest := r.oldest.Load(); oldest != 0 {
		waited = time.Duration(int64(r.o.g.now())-oldest) * time.Millisecond
	}
	h.Report("outbox", waited <= waitedLong, fmt.Sprintf("events have waited for %v to be published; see the log", waited.Round(time.Second)))
}
