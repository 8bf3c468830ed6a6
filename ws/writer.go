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

// writer is the queue of a session's outgoing frames. melody gets one at a time, since it drops what does not fit its channel
// and still says nil (see its session.go); those behind it joinedConn takes when that one is written.
// It is safe for concurrent use; frames leave in the order of enqueue.
type writer struct {
	ms *melody.Session

	mu     sync.Mutex
	room   sync.Cond
	out    []*frame // out[:lent] are being written
	lent   int
	bytes  int
	closed bool
}

func newWriter() *writer {
	w := &writer{}
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

// follow returns the waiting frames that are to be written together with the one that melody is writing.
func (w *writer) follow() []*frame {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.closed || w.lent != 1 {
		return nil
	}
	bytes := len(w.out[0].b)
	for _, f := range w.out[1:] {
		if bytes += len(f.b); bytes > joinBytes {
			break
		}
		w.lent++
	}
	return w.out[1:w.lent]
}

// sent is called when melody has written its frame, and those that followed it.
func (w *writer) sent() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for i, done := range w.out[:w.lent] {
		w.out[i] = nil
		w.bytes -= len(done.b)
		putFrame(done)
	}
	w.out, w.lent = w.out[w.lent:], 0
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

// close drops what waits. Frames that are being written stay as they are.
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
