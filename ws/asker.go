package ws

import "context"

// asker is who waits for an item to be written: a session for the answer to its frame, or a caller of the Gateway. Nobody
// may wait, too.
type asker struct {
	session *Session      // whose frame it is; nil for REST
	frameID string        // of that frame
	done    chan struct{} // for REST; closed when it is known what became of it
}

// finish lets whoever waits go on.
func (a *asker) finish() {
	if a.session != nil {
		a.session.free()
	}
	if a.done != nil {
		close(a.done)
	}
}

// submit queues an item of the session's, as soon as it has room for one more. The item's end frees that.
func (s *Session) submit(it item) error {
	if !s.hold() {
		return errStopped
	}
	if err := s.g.committers.submit(it); err != nil {
		s.free()
		return err
	}
	return nil
}

// submitAndWait queues an item and waits for its done. An error says that it is not known what becomes of it, or that it
// was not queued.
func (g *Gateway) submitAndWait(ctx context.Context, it item, done <-chan struct{}) error {
	if err := g.committers.submit(it); err != nil {
		return err
	}
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errSlowWrite(ctx)
	}
}
