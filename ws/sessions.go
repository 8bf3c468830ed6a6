package ws

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// endWait is how long a session that was asked to go has for it: a peer that does not answer is cut before.
	endWait = 2 * closeGrace
	// endLook is how often it is looked whether one on another node has gone.
	endLook = 50 * time.Millisecond
)

// SessionView is a live session as those see it who may end it.
type SessionView struct {
	ID, User, Device string
	Node             string // where it is
	Since            Millis
	Window           int // records sent and not acknowledged; -1 on another node, which alone knows
	Pending          int // positions past the device's cursor
}

// SessionUser returns whose session an id names; false if it names none.
func SessionUser(id string) (user string, ok bool) {
	_, rest, ok := strings.Cut(id, "_")
	end := strings.LastIndexByte(rest, '_')
	if !ok || end <= 0 {
		return "", false
	}
	return rest[:end], true
}

// usersOn returns whose sessions they are, each once.
func usersOn(sessions []*Session) []string {
	users := make([]string, len(sessions))
	for i, s := range sessions {
		users[i] = s.user
	}
	slices.Sort(users)
	return slices.Compact(users)
}

// Sessions lists the live sessions of a user on all nodes, by device. Refused with overloaded while the registry does not
// answer.
func (g *Gateway) Sessions(ctx context.Context, user string) ([]SessionView, error) {
	elsewhere, complete := g.elsewhere([]string{user})
	if !complete {
		return nil, errNobodyTells
	}
	var list []SessionView
	for _, s := range g.hub.sessions(user) {
		if !s.gone.Load() {
			list = append(list, s.view())
		}
	}
	for i := range elsewhere[user] {
		list = append(list, viewOf(&elsewhere[user][i]))
	}
	for i := range list {
		pending, err := g.pending(ctx, DeviceRef{User: user, Device: list[i].Device})
		if err != nil {
			return nil, err
		}
		list[i].Pending = pending
	}
	slices.SortFunc(list, func(a, b SessionView) int { return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.ID, b.ID)) })
	return list, nil
}

var errNobodyTells = protocol.NewError(protocol.Overloaded, "the registry does not answer; ask again later")

func viewOf(r *Route) SessionView {
	return SessionView{ID: r.SessionID, User: r.User, Device: r.Device, Node: r.Node, Since: r.Since, Window: -1}
}

func (s *Session) view() SessionView {
	route := s.route()
	view := viewOf(&route)
	s.mu.Lock()
	defer s.mu.Unlock()
	view.Window = len(s.window.active) + len(s.window.resting)
	return view
}

// pending counts the positions past a device's cursor, of as many conversations as one look shows.
func (g *Gateway) pending(ctx context.Context, device DeviceRef) (n int, err error) {
	positions, err := g.store.Behind(ctx, device, 0, scanLimit)
	for i := range positions {
		n += int(positions[i].Conversation.Last - positions[i].Cursor.Seq)
	}
	return n, err
}

// EndSession ends a session wherever it is, with 4403, and returns when it is gone. Refused with not_found; with
// overloaded if nobody can tell where it is, or it did not go.
func (g *Gateway) EndSession(ctx context.Context, id string) error {
	user, ok := SessionUser(id)
	if !ok {
		return errNoSession
	}
	ended, err := g.endEverywhere(ctx, g.signOut(user, id))
	if err == nil && ended == 0 {
		err = errNoSession
	}
	return err
}

var errNoSession = protocol.NewError(protocol.NotFound, "there is no such session now")

// EndSessions ends the sessions of a user on all nodes, with 4403, and returns how many there were when they are gone.
// Refused as EndSession is.
func (g *Gateway) EndSessions(ctx context.Context, user string) (ended int, err error) {
	return g.endEverywhere(ctx, g.signOut(user, ""))
}

// signOut ends a session of a user, or all of them.
func (g *Gateway) signOut(user, session string) *endBell {
	return &endBell{user: user, session: session, code: protocol.CloseForbidden, reason: "signed out", at: g.now()}
}

// endEverywhere ends what a bell names on all nodes. It returns how many sessions that are, when they are gone.
func (g *Gateway) endEverywhere(ctx context.Context, bell *endBell) (ended int, err error) {
	ctx, cancel := context.WithTimeout(ctx, endWait)
	defer cancel()
	here := g.end(bell)
	there, err := g.endElsewhere(ctx, bell)
	if err == nil && !g.cluster.settled(ctx) {
		err = errNobodyTells // who was rung may have had more
	}
	if err != nil {
		return len(here), err
	}
	for _, s := range here {
		select {
		case <-s.ended:
		case <-ctx.Done():
			return len(here), errStays
		}
	}
	for there > 0 {
		pauseContext(ctx, endLook)
		routes, err := g.routesOf(bell)
		switch {
		case err != nil:
			return len(here) + there, err
		case len(routes) == 0:
			return len(here) + there, nil
		case ctx.Err() != nil:
			return len(here) + there, errStays
		}
	}
	return len(here), nil
}

var errStays = protocol.NewError(protocol.Overloaded, "a session has not gone yet; its node may be cut off: try again later")

// endElsewhere rings the other nodes, and returns how many sessions there are that a bell names. All are rung: the registry may
// have lost the route of a session that its node has.
func (g *Gateway) endElsewhere(ctx context.Context, bell *endBell) (sessions int, err error) {
	routes, err := g.routesOf(bell)
	if err != nil {
		return 0, err
	}
	var posts []post
	for i := range routes {
		posts = append(posts, postOf(&routes[i]))
	}
	if c := g.cluster; c != nil {
		for _, n := range c.roll.others(ctx) {
			posts = append(posts, post{n.ID, n.Incarnation})
		}
	}
	for i, at := range posts {
		if slices.Contains(posts[:i], at) {
			continue
		}
		if err := g.opt.Bus.Publish(at.node, LaneNotices, bell.append(newDoorbell(at.incarnation))); err != nil {
			return 0, &protocol.Error{Code: protocol.Overloaded, Message: "the bus takes no more now; try again later", Cause: err}
		}
	}
	return len(routes), nil
}

// routesOf returns where on other nodes is what a bell names.
func (g *Gateway) routesOf(bell *endBell) ([]Route, error) {
	elsewhere, complete := g.elsewhere([]string{bell.user})
	if !complete {
		return nil, errNobodyTells
	}
	return slices.DeleteFunc(elsewhere[bell.user], func(r Route) bool { return !bell.names(r.SessionID, r.Since, g.now()) }), nil
}
