package ws

import (
	"context"
	"log/slog"
	"time"
)

// Options are the settings of a Gateway. A zero field takes the default named beside it, unless it says otherwise.
type Options struct {
	NodeID    string         // required; [A-Za-z0-9_-]{1,64}
	Advertise string         // required; <ip>:<port>, part of every session id
	AppName   string         // default "yanlink"; an empty sender of Gateway.Send is "system:<AppName>"
	Zone      *time.Location // of the given date fields; default the host's
	// ExactTrigger gives 1 for REST and 2 for WebSocket in envelopes; off, the default, gives always 1 as the given examples do.
	ExactTrigger bool

	FrameBytes      int           // largest client frame; default 65536; over twice that the connection is closed with 1009
	FramesPerSecond float64       // of one device, however often it connects; acks, heartbeats and syncs not counted; default 200; negative: no limit
	FrameBurst      int           // default twice FramesPerSecond
	InFlight        int           // sends of one connection that wait for their commit, beyond which it is not read; default 64
	DevicesPerUser  int           // default 16; negative: no limit
	SessionsPerUser int           // default 16; negative: no limit
	WatchedUsers    int           // whose presence one session may watch; default 200; negative: no limit
	PresenceLinger  time.Duration // how long a device without a session counts as there; default 2s; negative: not at all
	HeartbeatEvery  time.Duration // pings; default 30s
	HeartbeatAfter  time.Duration // without any inbound frame the session is closed with 4408; default 75s
	WriteTimeout    time.Duration // of one write to a socket; default 10s

	Window           int           // records sent to a session and not yet acknowledged; default 64
	WindowBytes      int           // and their bodies' bytes; default 1 MiB; one record always fits
	ResendAfter      time.Duration // first wait for an acknowledgement; default 3s, doubling, jittered
	Resends          int           // how often a record is sent again; default 3
	ProofEvery       time.Duration // how soon a send without its 17 is looked at, and again; default 5s; a second while notices may be lost
	EarlyWait        time.Duration // how long a record waits for the one before it; default 50ms
	NoSenderDevices  bool          // do not send messages to the sender's other devices (delivery.senderDevices: false)
	QueueBytes       int           // outgoing frames of a session waiting for its socket; default 4 MiB; beyond it notices are dropped
	CursorEvery      time.Duration // how long a cursor may lag behind what was passed over; default 1m
	EphemeralAfter   time.Duration // how long after its last session an ephemeral device is dropped; default 10m
	MessageRetention time.Duration // how long messages are kept, with their receipts; default 0: for ever
	TokenRetention   time.Duration // how long after its ExpiresAt a token is forgotten; default 720h; negative: never

	Committers     int           // commits side by side, for a ledger that is a server; default 1
	CommitQueue    int           // items of one committer waiting for a commit, beyond which sends are refused with overloaded; default 16384
	CommitBatch    int           // items in one commit; default 1024
	CommitInterval time.Duration // least time between the starts of two commits; default 600µs; negative: none
	AckDelay       time.Duration // how long after the start of the last commit acknowledgements wait for a message to join; default twice CommitInterval
	CommitTimeout  time.Duration // of one commit; default 10s

	CatchUpWorkers int           // sessions reading the ledger at one time; default 4
	PageRecords    int           // records of one read; default 128
	PageBytes      int           // bytes of one read; default 256 KiB
	ReconcileEvery time.Duration // fast pass; default 1s
	RecallWindow   time.Duration // default 2m; negative: no limit
	MaxBody        int           // bytes of one message; default FrameBytes
	MaxDelay       time.Duration // how far ahead a message may be sent; default 720h; negative: there are no delayed messages
	StoreUnknown   bool          // messages.unknownUsers: store; off, the default, refuses them

	Registry        Registry      // where sessions are, with Bus; nil: this node is alone
	Bus             Bus           // doorbells between nodes, with Registry; nil: this node is alone
	Incarnation     uint64        // another one at each start; default random
	BeatEvery       time.Duration // how often the registry is told that this node lives; default 2s
	RegistryTimeout time.Duration // of one call to the registry; default 1s
	CanaryEvery     time.Duration // how often this node rings itself to see that the bus works; default 1s

	Events *EventOptions // what other systems are told; nil: nothing

	RecheckEvery time.Duration // how often a live session's token is checked again; default 1m
	DrainSpread  time.Duration // over how long sessions are closed on Stop; default 10s

	Authorizer   Authorizer                                      // default: AllowAll
	Authenticate func(context.Context, string) (Identity, error) // for frame 22 and the re-check; nil: frame 22 is refused and nothing is re-checked
	BeforeSend   func(context.Context, *Draft) error             // may change or refuse a draft; nil: none
	AllowOrigin  func(origin, host string) bool                  // default: same host only
	Log          *slog.Logger                                    // default: discard
	Metrics      Metrics                                         // default: none
	Clock        Clock                                           // default time.Now
}
