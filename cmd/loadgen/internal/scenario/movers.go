package scenario

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

const (
	// roundTime bounds how long all movers may take to be consistent.
	roundTime = 2 * time.Minute
	// movingAtOnce is how many movers connect at one time. They all lose their node in one moment, and none waits for another.
	movingAtOnce = 1000
	// backoff is about how long a mover waits after a connect that failed.
	backoff = 100 * time.Millisecond
	// restarting is the close code of a node that drains.
	restarting = 1012
	moverBody  = 128
	// speakEvery is of how many pairs one writes in each round: the traffic that goes on while all the others only move.
	speakEvery = 10
)

// Moved is what it came to that clients had to go to other nodes.
type Moved struct {
	Clients    int             `json:"clients"`
	Consistent measure.Summary `json:"consistent"` // from the cause until a client was back and had everything
	Last       time.Duration   `json:"last_ns"`    // until the last one had
	Away       measure.Summary `json:"away"`       // from the end of a connection to the hello of the next

	Drained  int64  `json:"drained"`             // connections that a node closed to have their clients go elsewhere
	Broken   int64  `json:"broken"`              // that ended in any other way
	BrokenBy string `json:"broken_by,omitempty"` // what the first of them ended by
	Refused  int64  `json:"refused"`             // connects that failed

	RefusedBy string `json:"refused_by,omitempty"` // what the first of them failed by
	Repeated  int64  `json:"repeated"`             // messages pushed again that were proven to be delivered
}

// movers are users in pairs, of whom some write to each other once in each round, wherever they are connected. A round is
// over for one of them when they are connected where they can stay and the server has said that they have everything
// (29); for a pair that writes, when also the own message is proven to be delivered and that of the peer has come.
type movers struct {
	run    string
	tokens []string
	all    []*mover
	nodes  atomic.Pointer[[]string] // that take connections
	turn   atomic.Uint64
	dials  chan struct{}
	living sync.WaitGroup

	round      atomic.Uint32
	began      atomic.Int64 // of the round, ns
	consistent *measure.Latency
	away       *measure.Latency
	done       atomic.Int64
	over       chan struct{} // each time that everybody is done

	drained, broken, refused, repeated atomic.Int64

	brokenBy, refusedBy atomic.Pointer[string] // the first
}

// mover is one of them.
type mover struct {
	m       *movers
	index   uint32
	compose *wire.Composer

	mu              sync.Mutex
	conn            *wire.Conn // nil while away
	addr            string     // of the node that conn is to
	synced          bool       // conn has had its 29
	proven, arrived uint32     // the round up to which
	finished        uint32     // likewise
	left            time.Time
}

// newMovers logs users in and has them connect, peers to different nodes if there are several. They stay until ctx ends;
// then living is done.
func newMovers(ctx context.Context, targets []Target, n int) (*movers, error) {
	if n < 2 || n%2 != 0 {
		return nil, fmt.Errorf("clients: %d; an even number, they come in pairs", n)
	}
	m := &movers{
		run: fmt.Sprintf("%08x", rand.Uint32()), dials: make(chan struct{}, movingAtOnce), over: make(chan struct{}, 1), //nolint:gosec // no secret
		consistent: measure.NewLatency(), away: measure.NewLatency(),
	}
	m.use(targets...)
	var err error
	if m.tokens, err = Login(ctx, targets[0], n); err != nil {
		return nil, err
	}
	for i := range uint32(n) { //nolint:gosec // few
		m.all = append(m.all, &mover{m: m, index: i, compose: wire.NewComposer(name(int(i)), name(int(i^1)), moverBody)})
	}
	conns, addrs, err := connectAcross(ctx, targets, m.tokens)
	if err != nil {
		leave(conns)
		return nil, err
	}
	for i, p := range m.all {
		p.conn, p.addr = conns[i], addrs[i]
		m.living.Go(func() { p.live(ctx, conns[i]) })
	}
	return m, nil
}

// use says which nodes take connections from now on.
func (m *movers) use(targets ...Target) {
	addrs := make([]string, len(targets))
	for i, t := range targets {
		addrs[i] = t.Addr
	}
	m.nodes.Store(&addrs)
}

func (m *movers) pick() string {
	addrs := *m.nodes.Load()
	return addrs[m.turn.Add(1)%uint64(len(addrs))]
}

// begin starts a round, whose cause is happening now.
func (m *movers) begin() {
	m.done.Store(0)
	m.began.Store(time.Now().UnixNano())
	m.round.Add(1)
	for _, p := range m.all {
		p.speak()
	}
}

// finish waits until everybody has everything.
func (m *movers) finish(ctx context.Context) (last time.Duration, err error) {
	ctx, cancel := context.WithTimeout(ctx, roundTime)
	defer cancel()
	select {
	case <-m.over:
		return time.Duration(time.Now().UnixNano() - m.began.Load()), nil
	case <-ctx.Done():
		return 0, fmt.Errorf("%d of %d clients have not everything: %w", len(m.all)-int(m.done.Load()), len(m.all), ctx.Err())
	}
}

func (m *movers) result(last time.Duration) Moved {
	return Moved{
		BrokenBy: first(&m.brokenBy), RefusedBy: first(&m.refusedBy), Clients: len(m.all), Consistent: m.consistent.Summary(), Last: last, Away: m.away.Summary(),
		Drained: m.drained.Load(), Broken: m.broken.Load(), Refused: m.refused.Load(), Repeated: m.repeated.Load(),
	}
}

func first(by *atomic.Pointer[string]) string {
	if text := by.Load(); text != nil {
		return *text
	}
	return ""
}

// live keeps a mover connected until ctx ends.
func (p *mover) live(ctx context.Context, conn *wire.Conn) {
	for {
		stop := context.AfterFunc(ctx, conn.Goodbye)
		p.sync()
		err := p.read(conn)
		if !stop() {
			return
		}
		p.leave(err)
		_ = conn.Close()
		if conn = p.comeBack(ctx); conn == nil {
			return
		}
	}
}

func (p *mover) read(conn *wire.Conn) (err error) {
	for err == nil {
		if err = conn.Batch(p.take); err == nil {
			err = conn.Flush()
		}
	}
	return err
}

// comeBack connects, in as many attempts as it takes; nil when ctx has ended.
func (p *mover) comeBack(ctx context.Context) *wire.Conn {
	for {
		conn, err := p.reconnect(ctx)
		switch {
		case err == nil:
			return conn
		case ctx.Err() != nil:
			return nil
		}
		p.m.refused.Add(1)
		by := err.Error()
		p.m.refusedBy.CompareAndSwap(nil, &by)
		_ = sleep(ctx, backoff/2+rand.N(backoff)) //nolint:gosec // no secret
	}
}

func (p *mover) reconnect(ctx context.Context) (*wire.Conn, error) {
	p.m.dials <- struct{}{}
	defer func() { <-p.m.dials }()
	addr := p.m.pick()
	conn, err := greet(ctx, addr, p.m.tokens[p.index])
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, p.addr = conn, addr
	p.m.away.Record(time.Since(p.left))
	return conn, nil
}

func (p *mover) leave(err error) {
	var closed *wire.CloseError
	if errors.As(err, &closed) && closed.Code == restarting {
		p.m.drained.Add(1)
	} else {
		p.m.broken.Add(1)
		by := err.Error()
		p.m.brokenBy.CompareAndSwap(nil, &by)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conn, p.synced, p.left = nil, false, time.Now()
}

// sync asks what there is to get, and goes on with the round.
func (p *mover) sync() {
	p.mu.Lock()
	p.conn.Append(askSync)
	p.mu.Unlock()
	p.speak()
}

var askSync = []byte(`{"type":28,"params":{}}`)

// speaks reports whether the mover is of a pair that writes.
func (p *mover) speaks() bool { return p.index/2%speakEvery == 0 }

// speak sends the round's message, again if nobody knows what became of it: the msgid is the same.
func (p *mover) speak() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn == nil {
		return
	}
	if round := p.m.round.Load(); p.speaks() && p.proven < round {
		p.conn.Append(p.compose.AppendSend(nil, wire.AppendMsgID(nil, p.m.run, p.index, round)))
	}
	_ = p.conn.Flush() // who reads finds out
	p.check()
}

func (p *mover) take(frame []byte) error {
	kind, msgid, err := wire.Scan(frame)
	if err != nil {
		return err
	}
	switch kind {
	case wire.Message:
		p.answer(msgid)
		if sender, round, ok := wire.ParseMsgID(msgid, p.m.run); ok && sender == p.index^1 {
			p.note(&p.arrived, round)
		}
	case wire.Delivered:
		if sender, round, ok := wire.ParseMsgID(msgid, p.m.run); ok && sender == p.index {
			p.note(&p.proven, round)
		}
	case wire.Synced:
		p.mu.Lock()
		defer p.mu.Unlock()
		p.synced = true
		p.check()
	case wire.Refused:
		_, err := refused(frame)
		return err
	}
	return nil
}

func (p *mover) answer(msgid []byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.conn.Append(p.compose.AppendAck(nil, msgid))
	}
}

// note notes what has come of a round.
func (p *mover) note(field *uint32, round uint32) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if round <= *field {
		if round < p.m.round.Load() && field == &p.arrived {
			p.m.repeated.Add(1) // the round is over: the acknowledgement was committed
		}
		return
	}
	*field = round
	p.check()
}

// check notes when the mover has everything of a round. It is called under the lock.
func (p *mover) check() {
	round := p.m.round.Load()
	there := p.conn != nil && p.synced && slices.Contains(*p.m.nodes.Load(), p.addr)
	if !there || p.finished >= round || p.speaks() && (p.proven < round || p.arrived < round) {
		return
	}
	p.finished = round
	p.m.consistent.Record(time.Duration(time.Now().UnixNano() - p.m.began.Load()))
	if p.m.done.Add(1) == int64(len(p.m.all)) {
		p.m.over <- struct{}{}
	}
}
