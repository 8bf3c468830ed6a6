package ws

import (
	"maps"
	"slices"
	"time"
)

const (
	// forwardQueue is how many batches may wait to be told to other nodes; what comes on top is left to the reconciler.
	forwardQueue = 64
	// maxForward is how much is told at once, unless one batch holds more.
	maxForward = 1024
	// maxDoorbell is how long a doorbell grows before another one is begun: well below what a broker takes.
	maxDoorbell = 512 << 10
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

func (n *news) empty() bool { return len(n.records)+len(n.notices) == 0 }

// forwarder tells other nodes what follows from committed batches: it asks the registry where the users are, once for
// all that waits, and rings each node once. What it loses costs time only.
type forwarder struct {
	g     *Gateway
	queue chan news
	every time.Duration // how often at most; 0: as often as there is something
}

func newForwarder(g *Gateway, queue int, every time.Duration) *forwarder {
	return &forwarder{g: g, queue: make(chan news, queue), every: every}
}

// take hands news over. It never blocks: the dispatcher waits for nobody.
func (f *forwarder) take(n news) {
	select {
	case f.queue <- n:
	default:
		f.g.opt.Metrics.Doorbell("unsent", len(n.records)+len(n.notices))
	}
}

// run works until the queue is closed or the gateway ends.
func (f *forwarder) run() {
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
		}
	}
}

// gather adds whatever waits besides.
func (f *forwarder) gather(n news) news {
	for len(n.records)+len(n.notices) < maxForward {
		select {
		case more, ok := <-f.queue:
			if !ok {
				return n
			}
			n.records = append(n.records, more.records...)
			n.notices = append(n.notices, more.notices...)
		default:
			return n
		}
	}
	return n
}

func (f *forwarder) forward(n news) {
	if n.empty() {
		return
	}
	routes, err := f.g.cluster.locate(f.users(&n))
	if err != nil {
		f.g.opt.Metrics.Doorbell("unsent", len(n.records)+len(n.notices))
		return
	}
	whereabouts := make(map[string][]post, len(routes))
	for i := range routes {
		if r := &routes[i]; r.Node != f.g.opt.NodeID {
			at := postOf(r)
			if !slices.Contains(whereabouts[r.User], at) {
				whereabouts[r.User] = append(whereabouts[r.User], at)
			}
		}
	}
	if len(whereabouts) > 0 {
		f.ring(&n, whereabouts)
	}
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

// post is a node in one of its lives.
type post struct {
	node        string
	incarnation uint64
}

func (f *forwarder) ring(n *news, whereabouts map[string][]post) {
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
