package ws

import (
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

// Draft is a message to be sent by Gateway.Send.
type Draft struct {
	From     string   // openid; empty: the application's own, "system:<app name>"
	FromName string   // used when the sender becomes known by this
	To       []string // the recipients, each in a direct conversation with From
	Body     string
	FileType uint8         // 0 text, 1 image, 2 file, 3 audio, 4 video
	MsgID    string        // the sender's own key: a repeat takes effect once; may be empty
	Delay    time.Duration // how long the message waits before it is sent; 0: not at all
	TTL      time.Duration // how long the message lives after it was sent; 0: for ever

	trigger   protocol.Trigger
	requestID [16]byte
	device    string
}

// Result is what became of a Draft for one recipient. Err is nil for accepted, duplicate and scheduled.
type Result struct {
	To        string
	MessageID MessageID
	Duplicate bool
	Scheduled *ScheduledRef // nil unless the message, or the first one of its msgid, waits to be sent
	Err       *protocol.Error
}

// SendResult is what Gateway.Send answers.
type SendResult struct {
	RequestID string // UUID
	Results   []Result
}

// MessageLife is the whole life of a message.
type MessageLife struct {
	Record     Record
	State      string // stored, delivered, read, recalled, expired
	Recipients []RecipientLife
}

// RecipientLife is how far a message has come with one recipient.
type RecipientLife struct {
	OpenID  string
	State   string // stored, delivered, read
	Devices []DeviceLife
	ReadAt  Millis // when the read mark that covers the message moved last; 0: it does not cover it
}

// DeviceLife is when, and through which node, a device acknowledged a message.
type DeviceLife struct {
	Device         string
	Node           string
	Pushes         uint32
	AcknowledgedAt Millis
}

// ConversationView is a conversation as one of its members sees it.
type ConversationView struct {
	ID          ConversationID
	Kind        ConversationKind
	Peer        protocol.User // of a direct one
	GroupID     string
	GroupName   string
	LastSeq     uint64
	ReadSeq     uint64
	PeerReadSeq uint64 // how far the other one of a direct one has read
	Unread      int
	LastMessage *HistoryItem // nil while there is none
	Scanned     int          // records that were looked at for it
}

// HistoryItem is one position of a conversation's history.
type HistoryItem struct {
	Record   Record
	Kind     string // message, recalled, expired, recall, created, joined, left, renamed, dissolved
	FromName string
}

// Presence is a user's online state.
type Presence struct {
	OpenID   string
	Status   string // online, offline, unknown: it cannot be found out now
	Devices  []string
	Nodes    []string // where they are
	Since    Millis   // of the oldest live session; 0 when offline
	LastSeen Millis
}

// Health is what /readyz says.
type Health struct {
	Ready        bool
	Status       string            // starting, ok, degraded, draining, stopped
	Dependencies map[string]string // by name: ok, or what is wrong
}

// Report notes how a dependency is: ok, or the problem, which degrades a node that is ready.
func (h *Health) Report(dependency string, ok bool, problem string) {
	if ok {
		h.Dependencies[dependency] = "ok"
		return
	}
	h.Dependencies[dependency] = problem
	if h.Ready {
		h.Status = "degraded"
	}
}

// ConnectRequest is an authenticated request to open a session.
type ConnectRequest struct {
	Identity Identity
	Token    string // for the re-check of a live session
	Device   string // default "default"
	V1       bool   // the client speaks yanlink.v1
}
