package ws

import "time"

// Metrics receives what the engine measures. Implementations are safe for concurrent use, quick, and never block.
type Metrics interface {
	// Session counts sessions: +1 opened, -1 closed.
	Session(delta int)
	// Message counts messages by outcome: accepted, duplicate, scheduled, or the error code they were refused with.
	Message(outcome string, n int)
	// Refusal counts frames answered with 500, by error code.
	Refusal(reason string)
	// Commit reports one commit: how many items, how long, and whether it held.
	Commit(items int, took time.Duration, ok bool)
	// Delivered reports the time from a record's commit to its first acknowledgement by a device.
	Delivered(latency time.Duration)
	// Pushed counts records written to sessions, by the way they came.
	Pushed(path Path)
	// Doorbell counts bodies on the bus by outcome: sent, received; stale (for an earlier life of this node), broken; and
	// what was given up because a queue was full or registry or bus does not answer: unsent, dropped.
	Doorbell(outcome string, n int)
	// Rested counts records that a session was given up on until it comes back.
	Rested()
	// CatchUp counts sessions that turned to reading the ledger.
	CatchUp()
	// WindowFull counts records that had to wait for room in a window.
	WindowFull()
	// Queue reports the depth of a bounded queue, by name: commit, dispatch, catchup.
	Queue(name string, depth int)
	// Event counts outgoing events by outcome: published; failed, for an attempt; dead, when given up.
	Event(outcome string, n int)
	// Outbox reports how many outgoing events wait and how many are dead, as far as they were counted. Only the node that
	// sends them counts; another one reports none.
	Outbox(pending, dead int)
	// Closed counts sessions the engine closed, by close code.
	Closed(code int)
}

// Path is the way a record came to a session.
type Path string

// The ways a record comes to a session.
const (
	PathLocal  Path = "local"  // committed on this node
	PathBus    Path = "bus"    // committed on another node, which rang
	PathLedger Path = "ledger" // read from the ledger: CATCH-UP, or found by the reconciler
	PathResend Path = "resend" // sent again, as no acknowledgement came
)

// NoMetrics is a Metrics that measures nothing.
type NoMetrics struct{}

// Session implements Metrics.
func (NoMetrics) Session(int) {}

// Message implements Metrics.
func (NoMetrics) Message(string, int) {}

// Refusal implements Metrics.
func (NoMetrics) Refusal(string) {}

// Commit implements Metrics.
func (NoMetrics) Commit(int, time.Duration, bool) {}

// Delivered implements Metrics.
func (NoMetrics) Delivered(time.Duration) {}

// Pushed implements Metrics.
func (NoMetrics) Pushed(Path) {}

// Doorbell implements Metrics.
func (NoMetrics) Doorbell(string, int) {}

// Rested implements Metrics.
func (NoMetrics) Rested() {}

// CatchUp implements Metrics.
func (NoMetrics) CatchUp() {}

// WindowFull implements Metrics.
func (NoMetrics) WindowFull() {}

// Queue implements Metrics.
func (NoMetrics) Queue(string, int) {}

// Event implements Metrics.
func (NoMetrics) Event(string, int) {}

// Outbox implements Metrics.
func (NoMetrics) Outbox(int, int) {}

// Closed implements Metrics.
func (NoMetrics) Closed(int) {}
