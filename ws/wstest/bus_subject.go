package wstest

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// busPatience ends a test of a bus that hangs; no promise is about time.
const busPatience = time.Minute

// ping begins the bodies by which a subscription is seen to work. They may still come later, and are counted nowhere.
var ping = []byte("ping ")

// busSubject is the bus under test, as seen by the process that publishes, with the steps that rules are made of.
type busSubject struct {
	*testing.T
	ws.Bus
	another func() ws.Bus // opens the bus of one more process
}

func newBusSubject(t *testing.T, open func(t *testing.T) ws.Bus) *busSubject {
	another := func() ws.Bus {
		bus := open(t)
		t.Cleanup(func() { closeBus(t, bus) })
		return bus
	}
	return &busSubject{T: t, Bus: another(), another: another}
}

func closeBus(t *testing.T, bus ws.Bus) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), busPatience)
	defer cancel()
	require.NoError(t, bus.Close(ctx))
}

// node returns an id that no other test has.
func (s *busSubject) node() string { return "node-" + rand.Text()[:12] }

// publish publishes body, as soon as the bus takes it.
func (s *busSubject) publish(node string, lane ws.Lane, body []byte) {
	s.Helper()
	s.until("the bus takes a body", func() bool {
		err := s.Publish(node, lane, body)
		if !errors.Is(err, ws.ErrBusFull) {
			require.NoError(s, err)
		}
		return err == nil
	})
}

// send publishes n numbered bodies that begin with name.
func (s *busSubject) send(node string, lane ws.Lane, name string, n int) {
	s.Helper()
	for i := range n {
		s.publish(node, lane, []byte(name+" "+strconv.Itoa(i)))
	}
}

// until waits for what has to come true.
func (s *busSubject) until(what string, ok func() bool) {
	s.Helper()
	for deadline := time.Now().Add(busPatience); !ok(); time.Sleep(time.Millisecond) {
		require.Less(s, time.Now(), deadline, "waiting in vain until %s", what)
	}
}

// subscriber is one subscription and what it got.
type subscriber struct {
	s      *busSubject
	node   string
	lane   ws.Lane
	cancel context.CancelFunc
	end    chan error

	inside atomic.Int32 // calls of receive under way
	crowd  atomic.Bool  // there was more than one
	pings  atomic.Int64
	mu     sync.Mutex
	got    map[string]int // how often each body came
}

// subscribe subscribes through bus and returns when bodies arrive. change is called with each body after it was noted;
// it may be nil.
func (s *busSubject) subscribe(bus ws.Bus, node string, lane ws.Lane, change func(body []byte)) *subscriber {
	s.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(s.Context()))
	sub := &subscriber{s: s, node: node, lane: lane, cancel: cancel, end: make(chan error, 1), got: make(map[string]int)}
	var ended sync.WaitGroup
	ended.Go(func() {
		sub.end <- bus.Subscribe(ctx, node, lane, func(body []byte) {
			sub.receive(body)
			if change != nil {
				change(body)
			}
		})
	})
	s.Cleanup(func() { cancel(); ended.Wait() })
	s.until("a subscription gets something", func() bool {
		s.publish(node, lane, append(bytes.Clone(ping), node...))
		time.Sleep(5 * time.Millisecond)
		require.Empty(s, sub.end, "the subscription ended")
		return sub.pings.Load() > 0
	})
	return sub
}

func (r *subscriber) receive(body []byte) {
	if r.inside.Add(1) > 1 {
		r.crowd.Store(true)
	}
	defer r.inside.Add(-1)
	if bytes.HasPrefix(body, ping) {
		r.pings.Add(1)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.got[string(body)]++
}

// gets waits until n different bodies have come, those of send with name among them.
func (r *subscriber) gets(name string, n int) {
	r.s.Helper()
	r.s.until(strconv.Itoa(n)+" bodies have come", func() bool { return r.count() >= n })
	r.mu.Lock()
	defer r.mu.Unlock()
	for i := range n {
		require.Contains(r.s, r.got, name+" "+strconv.Itoa(i))
	}
}

func (r *subscriber) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.got)
}

// stops cancels the subscription, which has to end without an error.
func (r *subscriber) stops() {
	r.s.Helper()
	r.cancel()
	require.NoError(r.s, r.ended())
}

func (r *subscriber) ended() error {
	r.s.Helper()
	select {
	case err := <-r.end:
		return err
	case <-time.After(busPatience):
		require.FailNow(r.s, "the subscription does not end")
		return nil
	}
}
