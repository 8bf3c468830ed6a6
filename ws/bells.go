package ws

// bellQueue is how many bodies from the bus may wait on one lane to be handled. What comes on top is dropped: the
// reconciler finds what it was about.
const bellQueue = 256

// bells handles what comes from the bus on one lane.
type bells struct {
	d     *dispatcher
	lane  Lane
	queue chan []byte
}

func newBells(g *Gateway, lane Lane) *bells {
	return &bells{d: newDispatcher(g), lane: lane, queue: make(chan []byte, bellQueue)}
}

// receive takes a body over from the bus. It never blocks.
func (b *bells) receive(body []byte) {
	select {
	case b.queue <- body:
	default:
		b.d.g.opt.Metrics.Doorbell("dropped", 1)
	}
}

// run handles bodies until the gateway ends.
func (b *bells) run() {
	g := b.d.g
	for {
		select {
		case <-g.ctx.Done():
			return
		case body := <-b.queue:
			b.handle(body)
		}
	}
}

func (b *bells) handle(body []byte) {
	g := b.d.g
	effects, err := readDoorbell(body, g.opt.Incarnation)
	switch {
	case err != nil:
		g.log.Error("a body from the bus was dropped", "lane", b.lane, "bytes", len(body), "error", err)
		g.opt.Metrics.Doorbell("broken", 1)
	case len(effects) == 0:
		g.opt.Metrics.Doorbell("stale", 1) // for the node this one was before it restarted
	default:
		g.opt.Metrics.Doorbell("received", 1)
	}
	for _, e := range effects {
		b.d.one(e)
	}
	b.d.flush()
}

// recordBell is a committed record on its way to the sessions of its members on another node.
type recordBell struct {
	rec        *Record
	to         string // as in dispatcher.deliver
	senderName string
	members    []string
}

func (b *recordBell) committed(d *dispatcher) {
	d.g.names.hint(b.rec.Sender, b.senderName)
	d.offer(b.rec, b.members, b.to, PathBus)
}

// endBell ends a session from another node, or all of a user there.
type endBell struct {
	user, session string // session is empty for all that began until at
	code          int
	reason        string
	at            Millis
}

func (b *endBell) committed(d *dispatcher) { d.g.end(b) }

// endSlack is how far apart the clocks of two nodes may be: a session that began at most so much later is ended as well.
const endSlack = 2 * clockTolerance

// names reports whether the bell is about a session. What began later is not meant, even if the bus brings the bell again; but one that
// began in the future did so by a clock that was wrong, which says nothing.
func (b *endBell) names(session string, since, now Millis) bool {
	if b.session != "" {
		return b.session == session
	}
	return since <= b.at+millis(endSlack) || since > now+millis(endSlack)
}

// end ends what a bell names on this node, and returns it.
func (g *Gateway) end(b *endBell) (ended []*Session) {
	for _, s := range g.hub.sessions(b.user) {
		if b.names(s.id, s.since, g.now()) {
			s.close(b.code, b.reason)
			ended = append(ended, s)
		}
	}
	return ended
}

// hadBell tells a device's newer session of an acknowledgement that an older one on another node took.
type hadBell struct{ Ack }

func (b *hadBell) committed(d *dispatcher) { d.tellSuccessor(&b.Ack) }
