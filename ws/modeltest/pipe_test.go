package modeltest

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// pipeBuffer is what one direction of a connection holds, as a socket's buffers do.
const pipeBuffer = 256 << 10

// pipe is one end of a connection in memory that behaves like TCP: it buffers, half-closes, and can be reset. Unlike a
// socket it blocks in a way that a synctest bubble understands.
type pipe struct {
	in, out *stream
}

func newPipe() (client, server *pipe) {
	a, b := newStream(), newStream()
	return &pipe{in: a, out: b}, &pipe{in: b, out: a}
}

func (p *pipe) Read(b []byte) (int, error)  { return p.in.read(b) }
func (p *pipe) Write(b []byte) (int, error) { return p.out.write(b) }

// CloseWrite lets the other end read what is on its way, and then its end.
func (p *pipe) CloseWrite() error {
	p.out.finish()
	return nil
}

// Close ends both directions; what the other end has sent is thrown away.
func (p *pipe) Close() error {
	p.out.finish()
	p.in.reset()
	return nil
}

// cut ends the connection at once: what is on its way is lost.
func (p *pipe) cut() {
	p.in.reset()
	p.out.reset()
}

// freeze stops or resumes reading at this end: what comes waits.
func (p *pipe) freeze(on bool) {
	p.in.change(func(s *stream) { s.frozen = on })
}

func (p *pipe) LocalAddr() net.Addr  { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 1} }
func (p *pipe) RemoteAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2} }

func (p *pipe) SetDeadline(t time.Time) error {
	return errors.Join(p.SetReadDeadline(t), p.SetWriteDeadline(t))
}

func (p *pipe) SetReadDeadline(t time.Time) error {
	p.in.change(func(s *stream) { s.readBy.set(s, t) })
	return nil
}

func (p *pipe) SetWriteDeadline(t time.Time) error {
	p.out.change(func(s *stream) { s.writeBy.set(s, t) })
	return nil
}

// stream is one direction of a pipe.
type stream struct {
	mu              sync.Mutex
	changed         sync.Cond
	buffer          []byte
	finished, gone  bool
	frozen          bool
	readBy, writeBy deadline
}

func newStream() *stream {
	s := &stream{}
	s.changed.L = &s.mu
	return s
}

func (s *stream) change(f func(s *stream)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
	s.changed.Broadcast()
}

func (s *stream) finish() { s.change(func(s *stream) { s.finished = true }) }

func (s *stream) reset() {
	s.change(func(s *stream) {
		s.gone = true
		s.buffer = nil
	})
}

func (s *stream) read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.gone:
			return 0, syscall.ECONNRESET
		case s.readBy.passed():
			return 0, os.ErrDeadlineExceeded
		case len(s.buffer) > 0 && !s.frozen:
			n := copy(b, s.buffer)
			s.buffer = s.buffer[n:]
			s.changed.Broadcast()
			return n, nil
		case s.finished && !s.frozen:
			return 0, io.EOF
		}
		s.changed.Wait()
	}
}

func (s *stream) write(b []byte) (written int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.gone || s.finished:
			return written, syscall.EPIPE
		case s.writeBy.passed():
			return written, os.ErrDeadlineExceeded
		case len(b) == 0:
			return written, nil
		}
		if n := min(len(b), pipeBuffer-len(s.buffer)); n > 0 {
			s.buffer = append(s.buffer, b[:n]...)
			b = b[n:]
			written += n
			s.changed.Broadcast()
			continue
		}
		s.changed.Wait()
	}
}

// deadline wakes whoever waits for a stream when its time has come.
type deadline struct {
	at    time.Time
	timer *time.Timer
}

func (d *deadline) set(s *stream, t time.Time) {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	d.at = t
	if wait := time.Until(t); !t.IsZero() && wait > 0 {
		d.timer = time.AfterFunc(wait, func() { s.change(func(*stream) {}) })
	}
}

func (d *deadline) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }

// listener hands the server's ends of dialled pipes to an http.Server.
type listener struct {
	dialled chan net.Conn
	closed  chan struct{}
	once    sync.Once
}

func newListener() *listener {
	return &listener{dialled: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.dialled:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *listener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *listener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8084} }

// dial returns the client's end of a new connection.
func (l *listener) dial() (*pipe, error) {
	client, server := newPipe()
	select {
	case l.dialled <- server:
		return client, nil
	case <-l.closed:
		return nil, syscall.ECONNREFUSED
	}
}
