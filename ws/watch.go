package ws

import (
	"slices"
	"strconv"
	"strings"

	"github.com/yanlink/yanlink/ws/protocol"
)

// watchedPerFrame is how many users of a subscription count as one frame: each may be a question to the registry.
const watchedPerFrame = 10

// watcher is a session that watches others.
type watcher struct {
	s      *Session
	users  []*watchedUser
	missed []*watchedUser // of whom it was not told, as it does not read
	kicked bool           // its writer is to be kicked at the end of the pass
}

// watchAsk is a frame 23 on its way.
type watchAsk struct {
	s      *Session
	id     string // of the frame
	users  []string
	hidden []string // whom the session may not watch
}

// receiveWatch handles frame 23.
func (s *Session) receiveWatch(f *protocol.Frame) error {
	if limit := s.g.opt.WatchedUsers; limit > 0 && len(f.Users) > limit {
		return protocol.FieldError(protocol.BadField, "users", "one session may watch "+strconv.Itoa(limit)+" users here")
	}
	if tooFast := s.pace.take(len(f.Users) / watchedPerFrame); tooFast != nil {
		return tooFast
	}
	ask := watchAsk{s: s, id: f.ID}
	ctx, cancel := s.g.readContext()
	defer cancel()
	for _, user := range f.Users {
		if s.g.mayWatch(ctx, s.user, user) {
			ask.users = append(ask.users, user)
		} else if !slices.Contains(ask.hidden, user) {
			ask.hidden = append(ask.hidden, user)
		}
	}
	if !s.hold() {
		return errStopped
	}
	s.watches = true
	s.g.watch.ask(ask)
	return nil
}

// subscribe makes the users of an ask those that its session watches, and queues who was not watched here before.
func (w *presenceWatch) subscribe(a *watchAsk) {
	to := w.watchers[a.s]
	if to == nil {
		to = &watcher{s: a.s}
		w.watchers[a.s] = to
	}
	w.marks += 2
	before, named := w.marks-1, w.marks // what marks those watched before, and those named now
	for _, u := range to.users {
		u.mark = before
	}
	old := to.users
	to.users = make([]*watchedUser, 0, len(a.users))
	to.missed = nil // the answer tells of everybody
	for _, openID := range a.users {
		u := w.watched(openID)
		if u.mark == named {
			continue // named twice
		}
		if u.mark != before {
			u.watchers = append(u.watchers, to)
		}
		u.mark = named
		to.users = append(to.users, u)
		if !u.known {
			w.enqueue(u)
		}
	}
	for _, u := range old {
		if u.mark == before {
			w.unwatch(u, to)
		}
	}
}

// watched returns a user as one to be watched. The name is copied: it is part of a frame.
func (w *presenceWatch) watched(openID string) *watchedUser {
	u := w.users[openID]
	if u == nil {
		u = &watchedUser{openID: strings.Clone(openID)}
		w.users[u.openID] = u
	}
	return u
}

func (w *presenceWatch) unwatch(u *watchedUser, to *watcher) {
	at := slices.Index(u.watchers, to)
	last := len(u.watchers) - 1
	u.watchers[at], u.watchers[last] = u.watchers[last], nil
	u.watchers = u.watchers[:last]
	if last == 0 {
		delete(w.users, u.openID)
		delete(w.lingers, u)
	}
}

// unsubscribe ends what a session watches.
func (w *presenceWatch) unsubscribe(s *Session) {
	to := w.watchers[s]
	if to == nil {
		return
	}
	for _, u := range to.users {
		w.unwatch(u, to)
	}
	delete(w.watchers, s)
	delete(w.behind, to)
}

// answer sends the answer to a frame 23.
func (w *presenceWatch) answer(a *watchAsk) {
	var states []protocol.Presence
	if to := w.watchers[a.s]; to != nil {
		for _, u := range to.users {
			states = append(states, u.presence())
		}
	}
	for _, user := range a.hidden {
		states = append(states, protocol.Presence{OpenID: user, Status: statusUnknown})
	}
	f := getFrame()
	f.b = protocol.AppendWatchDone(f.b, a.id, states)
	a.s.reply(f)
	a.s.free()
}
