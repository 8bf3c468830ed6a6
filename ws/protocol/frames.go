package protocol

// Type is the number of a frame.
type Type int

// The frames of the protocol that this version speaks.
const (
	TypeAccepted     Type = 0
	TypeSend         Type = 1
	TypeMessage      Type = 2
	TypeRegister     Type = 7
	TypeHeartbeat    Type = 11
	TypeHeartbeatAck Type = 12
	TypeAck          Type = 15
	TypeAcked        Type = 16
	TypeDelivered    Type = 17
	TypePing         Type = 20 // on the wire the string "20", answered by the string "pong"
	TypeRenew        Type = 22
	TypeWatch        Type = 23
	TypePresence     Type = 24
	TypeRead         Type = 25
	TypeReadBy       Type = 26
	TypeSignal       Type = 27
	TypeSync         Type = 28
	TypeSyncDone     Type = 29
	TypeRecall       Type = 30
	TypeRecalled     Type = 31
	TypeEvent        Type = 32
	TypeHello        Type = 33
	TypeError        Type = 500
)

// Frame is a decoded frame of a client. Which fields are set depends on Type; strings share one copy of the frame's
// bytes. The zero value is ready for Decode, which resets what it finds, so that one Frame can serve many calls.
type Frame struct {
	Type Type
	// ID is the raw JSON of the frame's id (a string with its quotes, or a number), empty if there was none.
	ID string

	To       string // Send, Signal: toMessageId
	Message  string // Send
	FileType uint8  // Send: 0 to 4
	MsgID    string // Send, Ack
	IsRetry  bool   // Send: accepted and without effect

	FromUser string // Ack: the original sender
	ToUser   string // Ack: the acker

	Conversation ConversationID // Ack: with UpTo; Read
	UpTo         uint64         // Ack; 0: not given
	Seq          uint64         // Read

	OpenID      string // Register
	UserName    string // Register
	LoginStatus string // Register: "1" or "0"

	Token string // Renew

	MessageID MessageID // Recall

	Users []string // Watch: openids

	Group  string // Signal: groupId, instead of To
	Signal string // Signal

	Marks   []Mark      // Sync: conversations, by their ids
	Pending []MessageID // Sync
}

// Mark is one entry of a sync's conversations: everything due up to Seq was shown.
type Mark struct {
	Conversation ConversationID
	Seq          uint64
}

// User is how a person stands in an envelope.
type User struct {
	OpenID string
	Name   string
	Online bool
}

// Accepted is frame 0.
type Accepted struct {
	ID        string // raw JSON, as in Frame
	At        int64  // epoch ms
	Message   string // the body, as sent
	MsgID     string
	MessageID MessageID
	Duplicate bool
}

// Message is the part of frame 2 that all devices of one receiver share.
type Message struct {
	At        int64 // activeTime, epoch ms
	MessageID MessageID
	MsgID     string // the messageId where the sender gave none
	To, From  User
	Body      string
	FileType  uint8
}

// Delivery is the part of an envelope around a record that each session has of its own.
type Delivery struct {
	PrevSeq     uint64
	Redelivered bool
	RequestID   [16]byte
	SessionID   string
	To          string // the receiver
	Trigger     Trigger
}

// Recalled is the shared part of frame 31; MessageID is the position of the recall, Target of what was recalled.
type Recalled struct {
	At        int64
	MessageID MessageID
	Target    MessageID
	By        string
}

// Event is the shared part of frame 32.
type Event struct {
	At        int64
	MessageID MessageID
	Event     string // created, joined, left, renamed, dissolved
	User      string
	Name      string
	By        string
}

// Acked is frame 16: for one msgid, or for a conversation up to a seq.
type Acked struct {
	ID           string
	At           int64
	MsgID        string
	Conversation ConversationID // used when MsgID is empty
	UpTo         uint64
}

// Delivered is frame 17.
type Delivered struct {
	At        int64
	MsgID     string
	MessageID MessageID
	ToUser    string // who received it
	Device    string // on which device
	RequestID [16]byte
	SessionID string
	To        string // the original sender
	Trigger   Trigger
}

// Presence is frame 24, and what the answer to a frame 23 says of each user.
type Presence struct {
	At      int64 // not in the answer to a frame 23
	OpenID  string
	Status  string // online, offline, unknown
	Devices []string
}

// ReadDone is the answer to a frame 25.
type ReadDone struct {
	ID           string
	Conversation ConversationID
	Seq          uint64 // where the mark stands now
	At           int64
}

// ReadBy is frame 26.
type ReadBy struct {
	At           int64
	Conversation ConversationID
	Seq          uint64
	User         string // who has read
	MessageID    [16]byte
	RequestID    [16]byte
	SessionID    string
	To           string
	Trigger      Trigger
}

// Signal is frame 27 as the server sends it.
type Signal struct {
	At     int64
	From   User
	Signal string
}

// SyncDone is frame 29.
type SyncDone struct {
	ID      string
	Epoch   uint64
	Waiting []MessageID // of the sync's pending: no receipt yet
	Gone    []MessageID // recalled, expired, purged, or never the asker's
	Reset   bool        // the device is new to the ledger although the client remembers positions
	Marks   int         // marks taken
	Proofs  int         // 17s sent for this sync
	Errors  []MarkError
}

// MarkError says why one mark of a sync moved nothing.
type MarkError struct {
	Conversation ConversationID
	Err          *Error
}

// Hello is frame 33.
type Hello struct {
	SessionID        string
	OpenID           string
	Device           string
	NewDevice        bool
	Epoch            uint64
	HeartbeatSeconds int
	FrameBytes       int
	Window           int
	At               int64
}
