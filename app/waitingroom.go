package app

import (
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/yanlink/yanlink/handlers"
)

// roomLeave is how long those who are in the waiting room when the ledger is open may take to read their answers.
const roomLeave = time.Second

// waitingRoom answers on a Server's listeners until its ledger is open, which takes as long as store.startTimeout while a database
// does not answer. The system takes connections from the moment on that somebody listens: without it they would hear nothing,
// and a probe for liveness would have the waiting node killed.
type waitingRoom struct {
	server  *http.Server
	lent    []*lentListener
	serving sync.WaitGroup
	inside  atomic.Int64 // connections
}

// openWaitingRoom serves on what Start has listened on.
func (s *Server) openWaitingRoom() (*waitingRoom, error) {
	router, err := s.newRouter(nil)
	if err != nil {
		return nil, err
	}
	handlers.MountStarting(router)
	room := &waitingRoom{server: s.newHTTPServer()}
	room.server.Handler = router
	room.server.WriteTimeout = s.cfg.Server.WriteTimeout
	room.server.SetKeepAlivesEnabled(false) // the next request is the real server's
	room.server.ConnState = room.count
	for _, e := range s.endpoints() {
		lent := &lentListener{lender: e.listener.(lender)}
		room.lent = append(room.lent, lent)
		room.serving.Go(func() {
			if err := room.server.Serve(lent); !errors.Is(err, net.ErrClosed) {
				s.log.Warn("nobody is answered while the node starts", "error", err)
			}
		})
	}
	return room, nil
}

func (w *waitingRoom) count(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		w.inside.Add(1)
	case http.StateClosed:
		w.inside.Add(-1)
	}
}

// close gives the listeners back. Server.Shutdown would do it without an answer to whoever has just come in.
func (w *waitingRoom) close() {
	for _, l := range w.lent {
		_ = l.Close()
	}
	w.serving.Wait()
	for until := time.Now().Add(roomLeave); w.inside.Load() > 0 && time.Now().Before(until); {
		time.Sleep(time.Millisecond)
	}
	_ = w.server.Close()
	for _, l := range w.lent {
		_ = l.lender.SetDeadline(time.Time{})
	}
}

// lender is a listener whose Accept can be made to return without closing it.
type lender interface {
	net.Listener
	SetDeadline(t time.Time) error
}

// lentListener is another's listener: closing it ends Accept, and the other goes on.
type lentListener struct {
	lender
	closed atomic.Bool
}

// Accept returns the next connection, or net.ErrClosed after Close.
func (l *lentListener) Accept() (net.Conn, error) {
	conn, err := l.lender.Accept()
	if err != nil && l.closed.Load() {
		return nil, net.ErrClosed
	}
	return conn, err
}

// Close ends Accept.
func (l *lentListener) Close() error {
	l.closed.Store(true)
	return l.lender.SetDeadline(time.Now())
}
