package ws

import (
	"sync"

	"github.com/olahol/melody"
)

// melodyBuffer is the size of melody's own queue of a session. It is small since it is allocated for every connection;
// what does not fit waits in the writer.
const melodyBuffer = 8

// maxPooledFrame keeps rare large frames out of the pool.
const maxPooledFrame = 64 << 10

// frame is an encoded outgoing frame.
type frame struct{ b []byte }

var framePool = sync.Pool{New: func() any { return &frame{b: make([]byte, 0, 1024)} }}

func getFrame() *frame {
	f := framePool.Get().(*frame)
	f.b = f.b[:0]
	return f
}

func putFrame(f *frame) {
	if cap(f.b) <= maxPooledFrame {
		framePool.Put(f)
	}
}

// writer is the queue of a session's outgoing frames. melody drops what does not fit its channel and still says nil
// (see its session.go), so the writer hands over only what fits and hands over the next when one has been sent.
// It is safe for concurrent use; frames leave in the order of enqueue.
type writer struct {
	ms   *melody.Session
	conn *joinedConn

	mu     sync.Mutex
	room   sync.Cond
	out    []*frame // out[:lent] are with melody
	lent   int
	bytes  int
	closed bool
}

func newWriter(conn *joinedConn) *writer {
	w := &writer{conn: conn}
	w.room.L = &w.mu
	return w
}

// enqueue adds a frame, which the writer owns from then on. It reports whether kick has to be called for it to leave.
func (w *writer) enqueue(f *frame) (kick bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed {
		putFrame(f)
		return false
	}
	w.out = append(w.out, f)
	w.bytes += len(f.b)
	w.conn.queued.Add(1)
	return w.lent == 0
}

// kick hands waiting frames to melody. Until then they only gather, so that what belongs together leaves together.
func (w *writer) kick() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lend()
}

func (w *writer) lend() {
	for w.lent < melodyBuffer && w.lent < len(w.out) && !w.closed {
		next := w.out[w.lent]
		w.lent++
		if err := w.ms.Write(next.b); err != nil {
			w.shut()
		}
	}
}

// sent is called when melody has written the oldest frame it had.
func (w *writer) sent() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lent == 0 {
		return
	}
	done := w.out[0]
	w.lent--
	w.out[0] = nil
	w.out = w.out[1:]
	w.bytes -= len(done.b)
	w.conn.queued.Add(-1)
	putFrame(done)
	if len(w.out) == 0 {
		w.out = nil
	}
	w.lend()
	w.room.Broadcast()
}

// load returns the frames and bytes that wait for the socket.
func (w *writer) load() (frames, bytes int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.out), w.bytes
}

// awaitRoom blocks while more than limit bytes wait for the socket; false means the writer is closed.
func (w *writer) awaitRoom(limit int) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.bytes > limit && !w.closed {
		w.room.Wait()
	}
	return !w.closed
}

// close drops what waits. Frames that melody holds stay its own.
func (w *writer) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.shut()
}

func (w *writer) shut() {
	w.closed = true
	w.out = w.out[:w.lent:w.lent]
	w.room.Broadcast()
}
