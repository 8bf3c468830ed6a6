// Package client is a client as wild as the storm needs: it sends through both doors, repeats what was not answered,
// acknowledges in one of several ways, drops its connection without a word, comes back and goes on where it was. All
// it does and sees goes into a history.Log.
package client

import (
	"context"
	"math/rand/v2"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// Config is what a Device needs. All fields are required.
type Config struct {
	Device history.Device
	Token  string
	Nodes  []string // URLs of the servers, http://host:port
	Peers  []string
	Habits Habits
	Seed   uint64
	Log    *history.Log
	HTTP   *http.Client
	// Ticket is asked before each new message; false means not now.
	Ticket func() bool
}

// Device is one client. Run does everything; the other methods are safe for concurrent use.
type Device struct {
	Config
	calm      atomic.Bool
	connected atomic.Bool
	wake      chan struct{}
	restQueue chan *message
	node      int // of Nodes: where the session is, or was tried last

	mu           sync.Mutex
	rand         *rand.Rand
	count        int // messages made
	messages     map[string]*message
	unanswered   []*message // through the socket, in order of first sending
	restBusy     bool
	repeats      []*message
	recalls      []*recall // not answered yet
	delayed      []*delayed
	nextSend     time.Time
	left         int // of the burst
	places       map[string]*place
	acks         []ack // waiting for their time
	unconfirmed  map[history.Position]*ack
	unproved     map[history.Position]*message
	hasProof     map[history.Position]bool
	retryAfter   time.Duration // what a close frame asked for
	sessionCount int
}

// message is one that this device sends.
type message struct {
	id, to, body string
	delay        int              // seconds
	position     history.Position // once accepted
	messageID    string
	acceptedAt   time.Time
	session      int       // in which it was last sent
	sentAt       time.Time // likewise
	notBefore    time.Time // after a temporary refusal
}

// place is what this device was shown of one conversation.
type place struct {
	shown map[uint64]bool
	last  uint64
	acked uint64 // cumulative, sent in this session
}

// New returns a device. It does nothing before Run.
func New(c Config) *Device {
	return &Device{
		Config: c, wake: make(chan struct{}, 1), restQueue: make(chan *message, 1),
		rand:        rand.New(rand.NewPCG(c.Seed, 0)),
		messages:    map[string]*message{},
		places:      map[string]*place{},
		unconfirmed: map[history.Position]*ack{},
		unproved:    map[history.Position]*message{},
		hasProof:    map[history.Position]bool{},
	}
}

// Run connects, and connects again, until ctx ends.
func (d *Device) Run(ctx context.Context) {
	var rest sync.WaitGroup
	rest.Go(func() { d.runREST(ctx) })
	defer rest.Wait()
	for attempt := 0; ctx.Err() == nil; attempt++ {
		if attempt == 0 {
			d.node = d.anyNode()
		}
		if d.session(ctx) {
			attempt = -1
		} else {
			d.node = (d.node + 1) % len(d.Nodes)
		}
		pause(ctx, d.backoff(max(0, attempt)))
	}
}

// anyNode picks a node at random; the storm knows no loyalty.
func (d *Device) anyNode() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(len(d.Nodes))
}

// backoff waits with full jitter, and at least as long as the server asked for.
func (d *Device) backoff(attempt int) time.Duration {
	d.mu.Lock()
	defer d.mu.Unlock()
	asked := d.retryAfter
	d.retryAfter = 0
	return asked + time.Duration(d.rand.Int64N(int64(50*time.Millisecond)<<min(attempt+1, 4)))
}

func pause(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// Calm ends the wild part: no connection is dropped from now on, acknowledgements come soon, and what is still missing
// is asked for.
func (d *Device) Calm() {
	d.calm.Store(true)
	d.stir()
}

// Connected reports whether a session stands.
func (d *Device) Connected() bool { return d.connected.Load() }

// Idle reports whether every message and every recall of this device got its answer.
func (d *Device) Idle() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.unanswered) == 0 && len(d.recalls) == 0 && !d.restBusy
}

// stir makes the session look for something to do.
func (d *Device) stir() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

func (d *Device) place(conversation string) *place {
	p := d.places[conversation]
	if p == nil {
		p = &place{shown: map[uint64]bool{}}
		d.places[conversation] = p
	}
	return p
}

// chance is true with probability p.
func (d *Device) chance(p float64) bool { return d.rand.Float64() < p }

// around returns a random duration with the given mean, at most four times as long.
func (d *Device) around(mean time.Duration) time.Duration {
	return min(4*mean, time.Duration(d.rand.ExpFloat64()*float64(mean)))
}
