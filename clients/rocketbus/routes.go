package rocketbus

import (
	"context"
	"errors"
	"sync"
	"time"
)

// rest is how long nothing is sent to a topic after a send to it failed, or after nobody knew it.
const rest = time.Second

// routes remembers which topics can be sent to, so that one that cannot costs a look a second, and not a timeout or two
// questions to a name server for each body. The client library has no such memory, and would let the broker make a
// topic for a node that is gone.
type routes struct {
	look func(ctx context.Context, topic string) error // errNoTopic: there is none; any other error: nobody can tell

	mu     sync.Mutex
	states map[string]routeState
}

// routeState is what is known of a topic. The zero value: nothing.
type routeState struct {
	known   bool      // there was a broker with it
	certain bool      // and nothing has failed since
	resting time.Time // not to be tried before
}

func newRoutes(look func(ctx context.Context, topic string) error) *routes {
	return &routes{look: look, states: make(map[string]routeState)}
}

// check returns an error if nothing should be sent to a topic now.
func (r *routes) check(ctx context.Context, topic string) error {
	state := r.state(topic)
	if state.certain {
		return nil
	}
	if time.Now().Before(state.resting) {
		return errResting
	}
	err := r.look(ctx, topic)
	switch {
	case err == nil:
		state = routeState{known: true, certain: true}
	case errors.Is(err, errNoTopic) || !state.known:
		state = routeState{resting: time.Now().Add(rest)}
	default:
		return nil // a name server that is down has told the client before
	}
	r.set(topic, state)
	return err
}

// failed puts a topic to rest. It reports whether that is news.
func (r *routes) failed(topic string) (news bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	state := r.states[topic]
	r.states[topic] = routeState{known: state.known, resting: time.Now().Add(rest)}
	return state.certain
}

// worked notes that a topic can be sent to.
func (r *routes) worked(topic string) { r.set(topic, routeState{known: true, certain: true}) }

func (r *routes) state(topic string) routeState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[topic]
}

func (r *routes) set(topic string, state routeState) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.states[topic] = state
}
