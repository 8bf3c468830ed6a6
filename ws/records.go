package ws

import (
	"strings"

	"github.com/yanlink/yanlink/ws/protocol"
)

// Millis is a moment in Unix milliseconds; 0 means never.
type Millis int64

// ConversationID is the number of a conversation; see package protocol.
type ConversationID = protocol.ConversationID

// MessageID is the position of a record, which is its identity; see package protocol.
type MessageID = protocol.MessageID

// SystemConversation is the conversation every known user belongs to, from the commit that made the user known.
const SystemConversation ConversationID = 1

// RecordKind says what a record of a conversation is.
type RecordKind uint8

// The kinds of record. Every kind but KindMessage is due only to sessions that negotiated yanlink.v1.
const (
	KindMessage RecordKind = iota + 1
	KindRecall
	KindCreated
	KindJoined
	KindLeft
	KindRenamed
	KindDissolved
)

// Record is one position of a conversation: a message, or something else every device must learn.
// Records are immutable once committed, except that a recall blanks Body and sets RecalledAt.
type Record struct {
	Conversation ConversationID
	Seq          uint64 // taken inside the commit: 1, 2, 3 … without holes
	Kind         RecordKind
	Sender       string // openid
	SenderDevice string // empty for REST
	MsgID        string // the sender's own key; empty if none was given
	RequestID    [16]byte
	Node         string // the node that accepted it
	Body         string // KindRenamed: the new name
	FileType     uint8
	Trigger      protocol.Trigger
	Target       uint64 // KindRecall: the seq recalled
	Subject      string // KindJoined, KindLeft: the user concerned
	CreatedAt    Millis
	ExpireAt     Millis // 0: never
	RecalledAt   Millis // 0: not recalled
}

// ID returns the record's identity.
func (r *Record) ID() MessageID { return MessageID{Conversation: r.Conversation, Seq: r.Seq} }

// ConversationKind says who the members of a conversation are.
type ConversationKind uint8

// The kinds of conversation.
const (
	Direct ConversationKind = iota + 1
	Group
	System
)

// Conversation is a row of the ledger's conversations.
type Conversation struct {
	ID             ConversationID
	Kind           ConversationKind
	Key            string // Direct: DirectKey of the two; Group: the groupId; System: "system". Unique per kind.
	Name           string
	First          uint64 // the lowest seq that is kept; 1 until a purge
	Last           uint64 // the highest seq; 0 while empty
	MembersVersion uint64 // raised by every join and leave
	CreatedAt      Millis
	UpdatedAt      Millis // of the newest record
}

// DirectKey returns the key of the direct conversation of a and b: the sorted pair joined by a comma,
// which no openid contains.
func DirectKey(a, b string) string {
	if b < a {
		a, b = b, a
	}
	return a + "," + b
}

// Peer returns the other one of a direct conversation that user is in (user, of one with oneself); else "".
func (c *Conversation) Peer(user string) string {
	if c.Kind != Direct {
		return ""
	}
	a, b, _ := strings.Cut(c.Key, ",")
	if a == user {
		return b
	}
	return a
}

// Role is what a member may do in a group.
type Role uint8

// The roles of a member.
const (
	Member Role = iota
	Admin
	Owner
)

// Stay is one stay of a user in a conversation; leaving and coming back makes two.
type Stay struct {
	Conversation ConversationID
	User         string
	Joined       uint64 // the first seq it covers
	Left         uint64 // the last seq it covers; 0 while it lasts
	Role         Role
	Delivered    uint64 // the highest cursor of the user's devices that are no more
	Read         uint64 // the user's read mark
	ReadAt       Millis // when it came to stand there; 0: never moved
}

// Covers reports whether seq lies inside the stay.
func (s *Stay) Covers(seq uint64) bool { return seq >= s.Joined && (s.Left == 0 || seq <= s.Left) }

// User is a row of the ledger's users.
type User struct {
	OpenID     string
	Name       string
	FirstSeen  Millis
	LastSeen   Millis
	TokenEpoch uint64 // tokens accepted below it are refused
	Banned     bool
}

// Device is one kind of client of a user, with cursors of its own.
type Device struct {
	User      string
	Name      string
	Epoch     uint64 // raised by every connect; the higher one wins
	CreatedAt Millis
	LastSeen  Millis
}

// Ephemeral reports whether the device is dropped a while after its session ends.
func (d *Device) Ephemeral() bool { return EphemeralDevice(d.Name) }

// EphemeralDevice reports whether a device of this name is ephemeral: it begins with "~".
func EphemeralDevice(name string) bool { return len(name) > 0 && name[0] == '~' }

// DeviceRef names a device of a user.
type DeviceRef struct {
	User, Device string
}

// Cursor says how far a device has had everything of a conversation.
type Cursor struct {
	Conversation ConversationID
	Seq          uint64 // everything up to here the device has had
	Due          uint64 // the highest seq up to Seq that the device explicitly acknowledged; 0: none
}

// Receipt is one run of seqs that a device explicitly acknowledged together, with equal attempts.
type Receipt struct {
	Conversation ConversationID
	User         string
	Device       string
	From, To     uint64 // both inclusive
	Node         string // through which node
	Attempts     uint32 // pushes of each before it was acknowledged; 0: acknowledged without being asked again
	At           Millis
}

// Covers reports whether the receipt holds for seq.
func (r *Receipt) Covers(seq uint64) bool { return seq >= r.From && seq <= r.To }

// Token is a token that this ledger has accepted, by its hash.
type Token struct {
	Hash      [32]byte // SHA-256 of the token
	OpenID    string
	Epoch     uint64 // the user's TokenEpoch when it was accepted
	ExpiresAt Millis // up to when it goes on without the SSO: a time after it was shown last, or its own end
}

// Scheduled is a delayed message.
type Scheduled struct {
	ID    uint64
	DueAt Millis
	To    string         // Direct: the recipient
	Group ConversationID // or the group
	TTL   int64          // ms the message lives after its commit; 0: for ever
	Draft Record         // Conversation, Seq and CreatedAt are not set yet
}

// EventState is the state of an outgoing event.
type EventState uint8

// The states of an outgoing event.
const (
	EventPending EventState = iota + 1
	EventDone
	EventDead
	// EventScheduled is not an event yet: at NextAttemptAt it is found out what events come of it.
	EventScheduled
)

// Event is a row of the outbox: something for an outside system, written in the commit of its cause.
type Event struct {
	ID            uint64 // given by the ledger, rising
	Topic         string
	Key           string
	Payload       []byte
	State         EventState
	Attempts      uint32
	NextAttemptAt Millis
}

// LedgerInfo describes a ledger.
type LedgerInfo struct {
	Format uint32 // of the records; a newer one than the program knows is refused at open
	Epoch  uint64 // changes when the ledger is restored from an older copy
}

// EpochStep is how far a new epoch of a ledger moves what has been counted: more than anything can have been counted in the
// time that a copy lacks. Browsers count exactly to 2⁵³, which leaves room for two million restores. In a conversation
// no record stands at the positions passed over.
const EpochStep = 1 << 32

// LedgerSummary is what a check of a whole ledger looked at, and how many things it found wrong.
type LedgerSummary struct {
	Info                   LedgerInfo
	Users, Devices, Tokens int
	Conversations, Stays   int
	Records, Dedups        int
	Cursors, Receipts      int
	Scheduled, Events      int
	Broken                 int
}
