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

// tell raises what is due, and reports whether it could. What the registry or the ledger refuses waits for the next time.
func (p *presenceEvents) tell(ctx context.Context, linger time.Duration) bool {
	p.telling.Lock()
	defer p.telling.Unlock()
	err := inBatches(ctx, p.arrivals(), p.tellOnline)
	if err == nil {
		err = inBatches(ctx, p.departures(p.o.g.mono()-millis(linger)), p.tellOffline)
	}
	if failing := err != nil; failing != p.failing {
		p.failing = failing
		if failing {
			p.o.g.log.Warn("who came and who left cannot be told now; it is told later", "error", err)
		}
	}
	return err == nil
}

func inBatches(ctx context.Context, users []string, tell func(context.Context, []string) error) error {
	for batch := range slices.Chunk(users, presenceBatch) {
		if err := tell(ctx, batch); err != nil {
			return err
		}
	}
	return nil
}

// arrivals returns who came and is still here, and some of those who are to be told of again: all of a node may be, and what
// else there is to tell does not wait for them.
func (p *presenceEvents) arrivals() (users []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	again := 0
	for user, doubtful := range p.arrived {
		switch {
		case !p.here(user) && doubtful:
			p.leave(user, p.o.g.mono())
		case !p.here(user):
			p.leaveUntold(user)
		case !doubtful:
			users = append(users, user)
		case again < presenceBatch:
			users = append(users, user)
			again++
		}
	}
	return users
}

// tellOnline tells of those for whom this node is to do it.
func (p *presenceEvents) tellOnline(ctx context.Context, users []string) error {
	doubts := p.doubtsNow()
	elsewhere, err := p.elsewhere(users)
	if err != nil {
		return err
	}
	told, err := p.raise(ctx, eventUserOnline, users, elsewhere, p.isFirst)
	if err != nil {
		return err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.doubts != doubts {
		return nil // others may have told otherwise since: again
	}
	for _, user := range users {
		delete(p.arrived, user)
		switch {
		case p.here(user):
			p.online[user] = true
		case slices.Contains(told, user):
			p.leave(user, p.o.g.mono())
		default:
			p.leaveUntold(user)
		}
	}
	return nil
}

func (p *presenceEvents) doubtsNow() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.doubts
}

// isFirst reports whether the oldest session of a user is on this node. Two nodes that come to see each other's session
// agree on it.
func (p *presenceEvents) isFirst(user string, elsewhere []Route) bool {
	if len(elsewhere) == 0 {
		return true
	}
	return slices.ContainsFunc(p.o.g.hub.sessions(user), func(s *Session) bool {
		return !slices.ContainsFunc(elsewhere, func(r Route) bool {
			own := s.route()
			return older(&r, &own)
		})
	})
}

// departures returns those who left at due or before, and did not come back here, once it can be known who came elsewhere.
func (p *presenceEvents) departures(due Millis) (users []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.o.g.mono() < p.settled {
		return nil
	}
	for user, d := range p.left {
		if d.since <= due {
			users = append(users, user)
		}
	}
	return users
}

// tellOffline tells of those who have no session anywhere, and that others are online of whom something else may have been told:
// who came elsewhere while this was written may have been told of before it.
func (p *presenceEvents) tellOffline(ctx context.Context, users []string) error {
	began := p.o.g.mono()
	elsewhere, err := p.elsewhere(users)
	if err != nil || p.unsettled() > 0 { // it may have come back since the users were chosen
		return err
	}
	untold := p.untold(users)
	nowhere := func(user string, elsewhere []Route) bool {
		return len(elsewhere) == 0 && !p.here(user) && !untold[user]
	}
	offline, err := p.raise(ctx, eventUserOffline, users, elsewhere, nowhere)
	if err != nil {
		return err
	}
	contested := p.contest(users, offline)
	if elsewhere, err = p.elsewhere(contested); err != nil {
		return err
	}
	somewhere := func(_ string, elsewhere []Route) bool { return len(elsewhere) > 0 }
	online, err := p.raise(ctx, eventUserOnline, contested, elsewhere, somewhere)
	if err != nil {
		return err
	}
	p.told(users, online, began)
	return nil
}

// untold returns those of users who left and of whom nothing was told.
func (p *presenceEvents) untold(users []string) map[string]bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	found := make(map[string]bool)
	for _, user := range users {
		if p.left[user].untold {
			found[user] = true
		}
	}
	return found
}

// contest returns those of users who left and of whom something may have been told already, or nothing was. Those who were told
// offline just now are among them.
func (p *presenceEvents) contest(users, offline []string) (found []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.doubt(offline)
	for _, user := range users {
		if d := p.left[user]; d.doubtful || d.untold {
			found = append(found, user)
		}
	}
	return found
}

// told forgets users who had left when it began to be told. Those of them who were found online elsewhere are looked at once more:
// they may have left before that was written.
func (p *presenceEvents) told(users, online []string, began Millis) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, user := range users {
		if p.left[user].since <= began {
			delete(p.left, user)
		}
		p.doubt([]string{user}) // who came back while it was told, and maybe left again
	}
	for _, user := range online {
		_, arrived := p.arrived[user]
		if _, away := p.left[user]; !arrived && !away && !p.online[user] {
			p.left[user] = departure{since: p.o.g.mono()}
		}
	}
}

// elsewhere returns the sessions that users have on other nodes. It fails while the registry does not tell all of them.
func (p *presenceEvents) elsewhere(users []string) (map[string][]Route, error) {
	if len(users) == 0 {
		return nil, nil
	}
	elsewhere, complete := p.o.g.elsewhere(users)
	if !complete {
		return nil, errRegistryDown
	}
	return elsewhere, nil
}

// raise writes an event of each user of whom it is due, by the user's sessions on other nodes, and returns these.
func (p *presenceEvents) raise(
	ctx context.Context, kind string, users []string, elsewhere map[string][]Route, due func(user string, elsewhere []Route) bool,
) (told []string, err error) {
	var events []Event
	for _, user := range users {
		if due(user, elsewhere[user]) {
			told, events = append(told, user), append(events, p.o.presence(kind, user))
		}
	}
	if len(events) == 0 {
		return nil, nil
	}
	if err = p.o.commit(ctx, &AddEvents{Events: events}); err != nil { // it may hold all the same
		p.mu.Lock()
		defer p.mu.Unlock()
		p.doubt(users)
	}
	return told, err
}
