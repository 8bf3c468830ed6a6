// Package ws is the engine: it takes WebSocket connections and messages, writes them to a ledger, and delivers them
// until every device has acknowledged them and the sender has its proof.
//
// One idea carries it: the ledger is the truth. A message counts from the moment it stands there; whatever rings the
// bell for it may lose, repeat and reorder.
//
//	frame 1 ── send.go ──► committer.go ──► Store ──► dispatcher.go ──► deliver.go (LIVE) ──► writer.go ──► socket
//	                                                                     catchup.go (CATCH-UP) ──┘
//	frame 15 ── ack.go ──► committer.go ──► Store ──► proof.go: 16 to the acker, 17 to the sender
//
// # Concurrency
//
// A Gateway is safe for concurrent use. One goroutine commits, one dispatches what was committed, one turns the timer
// wheel, one reconciles, a few read the ledger for sessions that are behind; each session has melody's two. All of them
// end in Stop. Locks are taken in this order: Session.mu, then writer.mu, committer.mu or wheel.mu; a session's
// acknowledgements are submitted under its lock, so that no cursor overtakes what it covers.
//
// # Invariants
//
//   - Nothing is answered with 0, 16 or 17 before it is durable.
//   - A track's next never falls; what lies below it was pushed in this session or needs no push.
//   - A cursor given to the committer covers only what was given to it before, or needs no acknowledgement.
//   - A session is in the wheel, and in the work queue, at most once.
//
// # Dependencies
//
// Standard library, package protocol, melody with its transport, and a rate limiter. Stores, registries and buses
// implement the contracts in contracts.go; package wstest holds them to it.
package ws
