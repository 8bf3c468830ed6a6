package ws

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"
)

const (
	// presenceBatch is how many users are told of in one commit.
	presenceBatch = 500
	// presenceEvery is how often departures are looked at, and tried again what the registry or the ledger refused.
	presenceEvery = 250 * time.Millisecond
)

// presenceEvents raises user.online and user.offline. Of the nodes where a user has sessions the one with the oldest says
// that the user is online, and the one that sees the last one end that the user is not. Who comes back within Linger was
// never away.
type presenceEvents struct {
	o    *outbox
	wake chan struct{}

	telling sync.Mutex // held by whoever tells
	failing bool

	// A user is in one of them at most. They say what is to be told; who is here, only the hub knows.
	mu      sync.Mutex
	arrived map[string]bool      // has a session here and is to be told of; true: something may have been told already
	online  map[string]bool      // was told of, by this node or another
	left    map[string]departure // has no session here
	doubts  int                  // how often everybody came in doubt
	settled Millis               // monotonic: before that the registry may not know who is elsewhere
}

// departure is what is known of somebody who left.
type departure struct {
	since    Millis // monotonic
	doubtful bool   // something may have been told already
	untold   bool   // nothing was: who went before anybody was told, and may be elsewhere by now, where nobody tells either
}

func newPresenceEvents(o *outbox) *presenceEvents {
	return &presenceEvents{
		o: o, wake: make(chan struct{}, 1),
		arrived: make(map[string]bool), online: make(map[string]bool), left: make(map[string]departure),
	}
}

// connected notes a session of user whose route the registry has, if it answers.
func (p *presenceEvents) connected(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.here(user) {
		return // the session has ended before its route was recorded
	}
	d, away := p.left[user]
	delete(p.left, user)
	if away && !d.doubtful && !d.untold {
		p.online[user] = true
	}
	if p.online[user] {
		return
	}
	p.arrived[user] = p.arrived[user] || d.doubtful
	p.rouse()
}

// disconnected notes the end of a session of user.
func (p *presenceEvents) disconnected(user string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.here(user) && (p.online[user] || p.arrived[user]) {
		p.leave(user, p.o.g.mono())
	}
}

// reaped notes the users of a node that was silent for so long that it counts as dead: they had their time to come back.
func (p *presenceEvents) reaped(routes []Route) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range routes {
		if user := routes[i].User; !p.here(user) {
			p.leave(user, p.o.g.mono()-millis(p.o.opt.Linger))
		}
	}
}

// leftBehind notes the users of sessions of which no more than a trace was left: what is known of who left anyway stands.
func (p *presenceEvents) leftBehind(routes []Route) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range routes {
		user := routes[i].User
		if _, away := p.left[user]; !away && !p.here(user) {
			p.leave(user, p.o.g.mono())
		}
	}
}

// unsettle notes that the registry is back after a while in which nodes could not tell it who came to them: it takes each of them
// up to a beat to learn that, and a while to make up for it. One that comes and goes does not put this off again and again.
func (p *presenceEvents) unsettle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.o.g.mono(); p.settled <= now {
		p.settled = now + 2*millis(p.o.g.opt.BeatEvery)
	}
}

// unsettled returns how long it takes until the registry knows who is elsewhere.
func (p *presenceEvents) unsettled() time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return time.Duration(max(0, p.settled-p.o.g.mono())) * time.Millisecond
}

// settle has departures told even so.
func (p *presenceEvents) settle() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.settled = 0
}

// returned notes that the registry had lost this node for a while, in which others may have told that its users are offline.
func (p *presenceEvents) returned() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubts++
	p.doubt(slices.Concat(slices.Collect(maps.Keys(p.arrived)), slices.Collect(maps.Keys(p.online)), slices.Collect(maps.Keys(p.left))))
	p.rouse()
}

// doubt notes users of whom nobody knows what was told last: whoever is here is told of again. The caller holds mu.
func (p *presenceEvents) doubt(users []string) {
	for _, user := range users {
		if d, away := p.left[user]; away {
			p.left[user] = departure{since: d.since, doubtful: true}
			continue
		}
		_, arrived := p.arrived[user]
		if arrived || p.online[user] {
			delete(p.online, user)
			p.arrived[user] = true
		}
	}
}

// rouse wakes run. The caller holds mu.
func (p *presenceEvents) rouse() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// leave notes since when a user may come back. The caller holds mu.
func (p *presenceEvents) leave(user string, since Millis) {
	p.left[user] = departure{since: since, doubtful: p.arrived[user] || p.left[user].doubtful}
	delete(p.arrived, user)
	delete(p.online, user)
}

// leaveUntold is leave for who went before anybody was told. The node where the user is next may have seen the session here, and
// left it to this one to tell. The caller holds mu.
func (p *presenceEvents) leaveUntold(user string) {
	p.leave(user, p.o.g.mono())
	d := p.left[user]
	d.untold = !d.doubtful
	p.left[user] = d
}

func (p *presenceEvents) here(user string) bool { return len(p.o.g.hub.sessions(user)) > 0 }

// run tells of who comes and goes until ctx ends.
func (p *presenceEvents) run(ctx context.Context) {
	ticker := time.NewTicker(p.every())
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.wake:
		case <-ticker.C:
		}
		p.tell(ctx, p.o.opt.Linger)
	}
}

func (p *presenceEvents) every() time.Duration { return min(presenceEvery, p.o.opt.Linger) }

// finish tells of those whom the end of this node leaves without a session, once they have had the time to come back
// elsewhere, as far as ctx allows and unless the registry or the ledger is down. Nobody comes here any more.
func (p *presenceEvents) finish(ctx context.Context) {
	linger := p.o.opt.Linger
	if p.o.g.cluster == nil {
		linger = 0
	}
	if end, bounded := ctx.Deadline(); bounded && p.unsettled() > time.Until(end)/2 {
		p.settle() // who is told offline and came elsewhere is told of by that node, and who is forgotten by nobody
	}
	told := p.tell(ctx, linger)
	for told && p.waiting() && ctx.Err() == nil {
		pauseContext(ctx, p.every())
		told = p.tell(ctx, linger)
	}
	if p.waiting() {
		p.o.g.log.Warn("it was not told who is offline by the end of this node")
	}
}

func (p *presenceEvents) waiting() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.arrived)+len(p.left) > 0
}
