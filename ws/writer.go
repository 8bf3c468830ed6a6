package ws

import (
	"sync"

	"github.com/olahol/melody"
)

// melodyBuffer is the size of melody's own queue of a session: what waits does so in the writer.
const melodyBuffer = 1

// maxPooledFrame keeps rare large frames out of the pool.
const maxPooledFrame = 64 << 10

// frame is an encoded outgoing frame.
type frame struct {
	b      []byte
	shared bool // by many sessions: nobody changes it, or uses it for something else when it is written
}

var framePool = sync.Pool{New: func() any { return &frame{b: make([]byte, 0, 1024)} }}

func getFrame() *frame {
	f := framePool.Get().(*frame)
	f.b = f.b[:0]
	return f
}

func putFrame(f *frame) {
	if cap(f.b) <= maxPooledFrame && !f.shared {
		framePool.Put(f)
	}
}

// writer is the queue of a session's outgoing frames. melody gets one at a time: it drops what does not fit its channel and
// still says nil (see its session.go). What queues behind that one the writer writes itself, for each frame that goes through
// melody is a channel, a select, two locks and a look at the clock, more than all else that a frame costs.
// It is safe for concurrent use; frames leave in the order of enqueue.
type writer struct {
	ms   *melody.Session
	conn *joinedConn

	mu     sync.Mutex
	room   sync.Cond
	out    []*frame // out[:lent] are being written
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
	if w.lent > 0 || len(w.out) == 0 || w.closed {
		return
	}
	w.lent = 1
	if err := w.ms.Write(w.out[0].b); err != nil {
		w.shut()
	}
}

// sent is called, by the goroutine that writes, when melody has written the frame it had. What queued behind that one follows
// it here; melody gets the next, so that its pings have their turn. An error is the connection's.
func (w *writer) sent() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.lent == 0 {
		return nil
	}
	w.drop(1)
	var err error
	if w.lent = w.joinable(); w.lent > 0 {
		behind := w.out[:w.lent]
		w.mu.Unlock() // who enqueues does not wait for the socket
		err = w.conn.writeFrames(behind)
		w.mu.Lock()
		w.drop(len(behind))
	}
	w.lend()
	w.room.Broadcast()
	return err
}

// joinable is how many of the waiting frames make up one write.
func (w *writer) joinable() (n int) {
	for bytes := 0; n < len(w.out); n++ {
		if bytes += len(w.out[n].b); n > 0 && bytes > joinBytes {
			break
		}
	}
	return n
}

// drop forgets the oldest n frames, which are written.
func (w *writer) drop(n int) {
	for i, done := range w.out[:n] {
		w.out[i] = nil
		w.bytes -= len(done.b)
		putFrame(done)
	}
	w.conn.queued.Add(-int32(n))
	w.lent = 0
	if w.out = w.out[n:]; len(w.out) == 0 {
		w.out = nil
	}
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
