package modeltest

import (
	"fmt"
	"time"
)

// model is what protocol.md promises, as plain data: conversations are lists of records, devices are what they have
// acknowledged. It is told what the clients did and what came of it, and says what may and what must be seen.
type model struct {
	step    int
	known   map[string]int // user → the step that made it known
	threads map[[2]string]*thread
	byID    map[string]*thread
	devices map[string]*device
	// ownToAll: no device of a sender is sent the sender's messages.
	ownToAll bool
}

func newModel() *model {
	return &model{known: map[string]int{}, threads: map[[2]string]*thread{}, byID: map[string]*thread{}, devices: map[string]*device{}}
}

// thread is a direct conversation.
type thread struct {
	pair    [2]string // sorted
	id      string
	records []*record // records[i] stands at seq i+1
}

func pairOf(a, b string) [2]string {
	if b < a {
		a, b = b, a
	}
	return [2]string{a, b}
}

func (t *thread) has(user string) bool { return t.pair[0] == user || t.pair[1] == user }

func (t *thread) peer(user string) string {
	if t.pair[0] == user {
		return t.pair[1]
	}
	return t.pair[0]
}

func (t *thread) last() uint64 { return uint64(len(t.records)) }

func (t *thread) at(seq uint64) *record {
	if seq == 0 || seq > t.last() {
		return nil
	}
	return t.records[seq-1]
}

// record is one position: a message, or the recall of one.
type record struct {
	thread         *thread
	seq            uint64
	born           int // the step that made it
	sender, device string
	msgid, body    string
	recalls        *record // the message that this record recalls; nil: it is a message
	recalledIn     int     // the step that recalled it; 0: none
	at             time.Time
}

func (r *record) id() string { return fmt.Sprintf("%s%016x", r.thread.id, r.seq) }

func (r *record) String() string {
	what := fmt.Sprintf("%q", clip(r.body))
	if r.recalls != nil {
		what = fmt.Sprintf("recall of %d", r.recalls.seq)
	}
	return fmt.Sprintf("%s:%d %s from %s/%s", r.thread.id, r.seq, what, r.sender, r.device)
}

// sent returns the message that a sender's msgid stands for in a thread.
func (t *thread) sent(sender, msgid string) *record {
	for _, r := range t.records {
		if msgid != "" && r.msgid == msgid && r.sender == sender && r.recalls == nil {
			return r
		}
	}
	return nil
}

// device is a device as the ledger knows it.
type device struct {
	user, name string
	v1         bool
	exists     bool
	quiet      time.Time // since when it may be without a session; zero: it has one
	ended      time.Time // since when it is without one for certain; zero: that is not known
	progress   map[*thread]*progress
}

func (m *model) device(user, name string, v1 bool) *device {
	d := m.devices[user+"/"+name]
	if d == nil {
		d = &device{user: user, name: name, v1: v1, progress: map[*thread]*progress{}}
		m.devices[user+"/"+name] = d
	}
	return d
}

// progress is how far a device has come in a thread. A device's start is the cursor of another at some moment, and a
// cursor may lag behind what was passed over, so a start is known only to lie between two seqs.
type progress struct {
	startLow, startHigh uint64
	acked               map[uint64]int // seq → the step that acknowledged it
	cursor              uint64         // the ledger's cursor is at least here
}

func (d *device) in(t *thread) *progress {
	p := d.progress[t]
	if p == nil {
		p = &progress{acked: map[uint64]int{}}
		d.progress[t] = p
	}
	return p
}

// verdict is what the model says about a question: the truth may lie with the ledger.
type verdict int

const (
	no verdict = iota
	maybe
	yes
)

// wants says whether r is due to d at all, before any acknowledgement or recall.
func (m *model) wants(d *device, r *record) bool {
	own := r.sender == d.user && (r.device == d.name || m.ownToAll)
	return r.thread.has(d.user) && !own && (r.recalls == nil || d.v1)
}

// due says whether the device still has to be sent r, and so whether an acknowledgement of it counts.
func (m *model) due(d *device, r *record) verdict {
	p := d.in(r.thread)
	switch {
	case !m.wants(d, r) || r.seq <= p.startLow || p.acked[r.seq] != 0:
		return no
	case r.recalledIn != 0 && r.recalledIn < m.step:
		return no
	case r.recalledIn != 0 || r.seq <= p.startHigh:
		return maybe
	}
	return yes
}

// late says whether an acknowledgement of r by its name counts although the device may have begun beyond it.
func (m *model) late(d *device, r *record) verdict {
	switch {
	case !m.wants(d, r) || d.in(r.thread).acked[r.seq] != 0 || r.recalledIn != 0 && r.recalledIn < m.step:
		return no
	case r.recalledIn != 0:
		return maybe
	}
	return yes
}

// hadThrough returns up to where the device has had everything: at least, or at most.
func (m *model) hadThrough(d *device, t *thread, atMost bool) uint64 {
	p := d.in(t)
	start := p.startLow
	if atMost {
		start = p.startHigh
	}
	for _, r := range t.records {
		recalled := r.recalledIn != 0 && (atMost || r.recalledIn < m.step)
		if r.seq > start && m.wants(d, r) && p.acked[r.seq] == 0 && !recalled {
			return r.seq - 1
		}
	}
	return t.last()
}

// settleCursor notes that acknowledgements by d were written, whose sessions had come as far as each of reached: the
// cursor went with them.
func (m *model) settleCursor(d *device, t *thread, reached []uint64) {
	p, had := d.in(t), m.hadThrough(d, t, false)
	for _, seq := range reached {
		if seq <= had {
			p.cursor = max(p.cursor, seq)
		}
	}
}

// lowStarts returns where a device of user that is made now starts at least.
func (m *model) lowStarts(user string) map[*thread]uint64 {
	starts := map[*thread]uint64{}
	for _, d := range m.devices {
		if d.user != user {
			continue
		}
		for t, p := range d.progress {
			starts[t] = max(starts[t], p.cursor, p.startLow)
		}
	}
	return starts
}

// create makes a device of the ledger; low is what lowStarts said before it.
func (m *model) create(d *device, low map[*thread]uint64) {
	for _, t := range m.threads {
		if !t.has(d.user) {
			continue
		}
		high := low[t]
		for _, other := range m.devices {
			if other.user == d.user && other.exists {
				high = max(high, m.hadThrough(other, t, true))
			}
		}
		p := d.in(t)
		p.startLow, p.startHigh = max(p.startLow, low[t]), max(p.startHigh, high)
	}
	d.exists = true
}
