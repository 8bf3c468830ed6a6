package ws

import (
	"maps"
	"slices"
	"time"
)

const (
	// forwardQueue is how many batches may wait to be told to other nodes; what comes on top is left to the reconciler.
	forwardQueue = 64
	// maxForward is how much is told at once, unless one batch holds more, and how much is asked about at once.
	maxForward = 1024
	// maxDoorbell is how long a doorbell grows before another one is begun: well below what a broker takes.
	maxDoorbell = 512 << 10
	// checkEvery is how soon after it was rung where its users were last found the registry is asked whether they are elsewhere by
	// now, for everything that was rung meanwhile at once.
	checkEvery = 50 * time.Millisecond
	// maxUnchecked is how much may wait for the registry's answer; what comes on top is told where its users were last found only.
	maxUnchecked = 16 << 10
)

// news is what other nodes have to learn from one committed batch.
type news struct {
	records []*recordBell // for the sessions of their members
	notices []notice      // for the sessions of one user
}

// notice is an entry for the nodes where user has sessions.
type notice struct {
	user string
	bell entry
}

// entry is what a doorbell on the lane of notices is made of.
type entry interface {
	append(dst []byte) []byte
}

func (n *news) size() int { return len(n.records) + len(n.notices) }

func (n *news) empty() bool { return n.size() == 0 }

// cut takes off what came first, up to so much.
func (n *news) cut(most int) (first news) {
	records := min(len(n.records), most)
	notices := min(len(n.notices), most-records)
	first = news{n.records[:records:records], n.notices[:notices:notices]}
	n.records, n.notices = n.records[records:], n.notices[notices:]
	return first
}

func (n *news) add(more news) {
	n.records = append(n.records, more.records...)
	n.notices = append(n.notices, more.notices...)
}

// forwarder tells other nodes what follows from committed batches. It rings each node once where the users were last found, and
// has the registry asked after that, for all that was rung meanwhile at once, and rings where they are besides: the question comes
// after the commit in any case. For whom it has not found lately it asks at once. What it loses costs time only.
type forwarder struct {
	g     *Gateway
	queue chan news
	every time.Duration // how often at most; 0: as often as there is something

	// The run goroutine's own:
	known     *lastFound
	unchecked news
	checkAt   time.Time   // when the registry is asked about unchecked
	asked     chan answer // of the question under way; nil: there is none
}

// answer is where the users of some news are.
type answer struct {
	about  news
	users  []string
	routes []Route
	err    error
}

func newForwarder(g *Gateway, queue int, every time.Duration) *forwarder {
	return &forwarder{g: g, queue: make(chan news, queue), every: every, known: newLastFound()}
}

// take hands news over. It never blocks: the dispatcher waits for nobody.
func (f *forwarder) take(n news) {
	select {
	case f.queue <- n:
	default:
		f.g.opt.Metrics.Doorbell("unsent", n.size())
	}
}

// run works until the queue is closed or the gateway ends.
func (f *forwarder) run() {
	check := time.NewTimer(time.Hour)
	defer check.Stop()
	defer f.finish()
	for {
		select {
		case <-f.g.ctx.Done():
			return
		case n, ok := <-f.queue:
			if !ok {
				return
			}
			f.forward(f.gather(n))
			if f.every > 0 {
				pauseContext(f.g.ctx, f.every)
			}
		case a := <-f.asked:
			f.answered(a)
		case <-check.C:
		}
		if f.unchecked.empty() || f.asked != nil {
			continue
		}
		if wait := time.Until(f.checkAt); wait > 0 {
			check.Reset(wait)
			continue
		}
		f.ask()
	}
}

// finish has what is left checked, one question after the other, unless the gateway ends.
func (f *forwarder) finish() {
	for {
		if f.asked != nil {
			f.answered(<-f.asked)
		}
		if f.unchecked.empty() || f.g.ctx.Err() != nil {
			return
		}
		f.ask()
	}
}

// gather adds whatever waits besides.
func (f *forwarder) gather(n news) news {
	for n.size() < maxForward {
		select {
		case more, ok := <-f.queue:
			if !ok {
				return n
			}
			n.add(more)
		default:
			return n
		}
	}
	return n
}

// forward rings where the users of n were last found, and notes that this is to be checked: at once, if one of them was not found
// lately.
func (f *forwarder) forward(n news) {
	if n.empty() {
		return
	}
	whereabouts, lately := f.known.of(f.users(&n))
	f.ring(&n, whereabouts)
	switch {
	case f.unchecked.size() >= maxUnchecked:
		f.g.opt.Metrics.Doorbell("unsent", n.size())
		return
	case f.unchecked.empty():
		f.checkAt = time.Now().Add(checkEvery)
	}
	f.unchecked.add(n)
	if !lately || f.unchecked.size() >= maxForward {
		f.checkAt = time.Now()
	}
}

// ask asks the registry about what is unchecked, while what comes goes on being rung.
func (f *forwarder) ask() {
	about, asked := f.unchecked.cut(maxForward), make(chan answer, 1)
	f.asked = asked
	users := f.users(&about)
	go func() {
		routes, err := f.g.cluster.locate(users)
		asked <- answer{about, users, routes, err}
	}()
}

// answered rings where users turn out to be besides. What came meanwhile was not rung there either.
func (f *forwarder) answered(a answer) {
	f.asked = nil
	if a.err != nil {
		f.g.opt.Metrics.Doorbell("unsent", a.about.size())
		return
	}
	besides := f.known.update(a.users, f.posts(a.routes))
	f.ring(&a.about, besides)
	f.ring(&f.unchecked, besides)
}

// posts returns the other nodes of routes, by user.
func (f *forwarder) posts(routes []Route) map[string][]post {
	posts := make(map[string][]post, len(routes))
	for i := range routes {
		if r := &routes[i]; r.Node != f.g.opt.NodeID {
			at := postOf(r)
			if !slices.Contains(posts[r.User], at) {
				posts[r.User] = append(posts[r.User], at)
			}
		}
	}
	return posts
}

func (f *forwarder) users(n *news) []string {
	set := make(map[string]struct{}, 2*len(n.records))
	for _, b := range n.records {
		for _, member := range b.members {
			set[member] = struct{}{}
		}
	}
	for i := range n.notices {
		set[n.notices[i].user] = struct{}{}
	}
	return slices.Collect(maps.Keys(set))
}

// ring rings each of the nodes where the users of n are said to be.
func (f *forwarder) ring(n *news, whereabouts map[string][]post) {
	if len(whereabouts) == 0 {
		return
	}
	messages, notices := make(doorbells), make(doorbells)
	there := make(map[post][]string)
	for _, b := range n.records {
		clear(there)
		for _, member := range b.members {
			for _, at := range whereabouts[member] {
				there[at] = append(there[at], member)
			}
		}
		for at, members := range there {
			messages.add(f, at, LaneMessages, func(dst []byte) []byte { return b.append(dst, members) })
		}
	}
	for i := range n.notices {
		for _, at := range whereabouts[n.notices[i].user] {
			notices.add(f, at, LaneNotices, n.notices[i].bell.append)
		}
	}
	messages.leave(f, LaneMessages)
	notices.leave(f, LaneNotices)
}

// doorbells are the bodies of one lane that are being written, by whom they are for.
type doorbells map[post][]byte

func (d doorbells) add(f *forwarder, at post, lane Lane, write func([]byte) []byte) {
	body := d[at]
	if body == nil {
		body = newDoorbell(at.incarnation)
	}
	body = write(body)
	if len(body) >= maxDoorbell {
		f.publish(at.node, lane, body)
		body = nil
	}
	d[at] = body
}

func (d doorbells) leave(f *forwarder, lane Lane) {
	for at, body := range d {
		if body != nil {
			f.publish(at.node, lane, body)
		}
	}
}

func (f *forwarder) publish(node string, lane Lane, body []byte) {
	if err := f.g.opt.Bus.Publish(node, lane, body); err != nil {
		f.g.opt.Metrics.Doorbell("unsent", 1)
		f.g.log.Debug("a doorbell was not sent", "node", node, "lane", lane, "error", err)
		return
	}
	f.g.opt.Metrics.Doorbell("sent", 1)
}

// close ends run once what waits was sent. Nothing may be taken any more.
func (f *forwarder) close() { close(f.queue) }
