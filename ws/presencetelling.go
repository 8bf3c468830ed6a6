package ws

import (
	"context"
	"slices"
	"time"
)

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
