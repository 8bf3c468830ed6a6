package ws

// Op is one item of a committed batch. The concrete types are in this file; a Store switches over them.
type Op interface {
	// Result is where the Store leaves the item's own error.
	Result() *Outcome
}

// Outcome is the result every item has.
type Outcome struct {
	// Err is set when this item alone was refused: it changed nothing, the rest of its batch holds.
	// It is a *protocol.Error where a client is to see it.
	Err error
}

// Result implements Op.
func (o *Outcome) Result() *Outcome { return o }

// Send appends a message. It makes an unknown sender known, and a direct conversation that is not there yet.
//
// Refused with unknown_user (recipient not known, unless CreateUsers), unknown_group, not_member (the sender has no
// open stay in Group), forbidden (the sender is banned), conflict (the same msgid with another Hash). The msgid comes
// first: a repeat is answered also to a sender who has left or was banned meanwhile.
type Send struct {
	Outcome
	To          string         // the recipient of a direct message
	Group       ConversationID // or the conversation of kind Group or System
	CreateUsers bool           // make an unknown recipient known
	SenderName  string         // used when the sender becomes known by this
	Hash        uint64         // of the content, to tell a repeat from a conflict
	Record      Record         // Conversation and Seq are filled in; of a repeat, those of the first one
	// Events returns what goes to the outbox in the same commit; nil: nothing does. The Store calls it once Record and the
	// fields below are filled in, unless the item is a repeat or refused, and again whenever it has to run the batch again.
	Events func(sent *Send) []Event

	Duplicate   bool     // out: a repeat of what is stored already; nothing was written
	ScheduledID uint64   // out, with Duplicate: the first one is scheduled and not fired yet
	Cancelled   bool     // out, with Duplicate: the first one was scheduled and cancelled
	Members     []string // out: who held an open stay at the moment of the commit; nobody is listed of the System conversation
	Created     bool     // out: this made the conversation
}

// Ack records that a device acknowledged the seqs From to To of a conversation, and moves its cursor.
// From 0 moves the cursor only. The caller vouches that all seqs of the run were due to the device.
// Receipts of one device for touching runs with equal Attempts and Node become one when they are in one batch.
// A run that is recorded already (same From) keeps its first time.
//
// Refused with not_found if the device, or its user's stay in the conversation, is not in the ledger;
// with bad_field if To or Cursor lies past the conversation's Last.
type Ack struct {
	Outcome
	User, Device string
	Conversation ConversationID
	From, To     uint64
	Attempts     uint32
	Node         string
	At           Millis
	Cursor       uint64 // everything up to here the device has had; the cursor becomes the greater of old and new
	Due          uint64 // as in type Cursor; likewise
	Events       []Event
}

// OpenDevice raises a device's epoch, making user and device known if need be. A device that it makes starts, in each
// of the user's conversations, at the highest cursor any device of the user has or had.
//
// Refused with rate_limited when the user has MaxDevices devices and none is unused since IdleSince; with forbidden
// when the user is banned; with what Accept is refused with.
type OpenDevice struct {
	Outcome
	// Accept is applied first, as an op of its own right before this one would be, with its own Outcome: accepted, it holds
	// even if the device is refused; refused, it refuses the device too, which then changes nothing. Nil: there is none.
	Accept             *AcceptToken
	User, Name, Device string // Name: the user's display name; empty keeps the known one
	At                 Millis
	FirstEpoch         uint64 // what the epoch of a device counts from that the op makes; see Gateway.firstEpoch
	MaxDevices         int    // 0: no limit; ephemeral devices count too
	IdleSince          Millis // devices last seen before this give way, the longest unused first

	Epoch   uint64 // out
	Created bool   // out: the device is new to this ledger
	Dropped string // out: the device that gave way; empty if none
}

// DropDevice removes a device with its cursors; what it had stays had for devices that come later, and its receipts
// stay.
// A device whose epoch is not Epoch is left alone (somebody connected meanwhile), without an error.
type DropDevice struct {
	Outcome
	User, Device string
	Epoch        uint64
}

// SeenDevice sets a device's last_seen and its user's. A device that is not there is passed over.
type SeenDevice struct {
	Outcome
	User, Device string
	At           Millis
}

// PutUser makes a user known, or changes the name; an empty Name keeps the known one.
type PutUser struct {
	Outcome
	OpenID, Name string
	At           Millis
}

// BanUser bans or unbans. Refused with unknown_user.
type BanUser struct {
	Outcome
	OpenID string
	Banned bool
}

// AcceptToken records a token as accepted under its user's current token epoch and makes the user known.
// Refused with unauthorized if the token is recorded already under an older epoch, or, where IssuedAt is given,
// was issued before the user's tokens were revoked; with forbidden if the user is banned.
type AcceptToken struct {
	Outcome
	Token    Token // Epoch is filled in
	Name     string
	IssuedAt Millis // 0: not known
	At       Millis
}

// RevokeTokens raises the user's token epoch: every token accepted before is refused from then on.
type RevokeTokens struct {
	Outcome
	OpenID string
	At     Millis
}

// DropToken forgets a token of OpenID whose ExpiresAt lies before Before, unless it was revoked; another is left alone,
// without an error. What is forgotten can be accepted anew, even if its user's tokens were revoked meanwhile.
type DropToken struct {
	Outcome
	Hash   [32]byte
	OpenID string
	Before Millis
}

// CreateGroup makes a group conversation, with a record of KindCreated at seq 1. By becomes its owner.
// On an existing Key: Existed and the conversation, nothing written, if By is a member; else conflict.
type CreateGroup struct {
	Outcome
	Key, Name, By string
	Users         []string // the members besides By; unknown ones are refused with unknown_user
	Record        Record   // Sender, RequestID, Node, CreatedAt are the caller's

	Conversation Conversation // out
	Existed      bool         // out
	Members      []string     // out
}

// Change appends a record that changes a group, and changes it: KindJoined and KindLeft start and end the stay of
// Record.Subject (a stay covers its own join and leave records), KindRenamed sets the name to Record.Body,
// KindDissolved ends every stay. A join of a member, a leave of somebody who is none, or a dissolve where nobody is a
// member, changes nothing (Unchanged). Refused with unknown_group, unknown_user.
type Change struct {
	Outcome
	Conversation ConversationID
	Role         Role // of a KindJoined
	Record       Record

	Unchanged bool     // out
	Members   []string // out: those whom the record concerns: the members, and whoever leaves by it
}

// Recall blanks the body of a message where it stands and appends a record of KindRecall whose Target is its seq.
// A repeat answers Duplicate with the first recall's record.
//
// Refused with not_found (no such message), forbidden (By is not its sender, unless Force), conflict (older than
// Window, unless Force).
type Recall struct {
	Outcome
	Seq    uint64 // the message's; its conversation is Record.Conversation
	By     string
	Force  bool
	Window int64  // ms after its commit in which a sender may recall; 0: no limit
	Record Record // RequestID, Node, CreatedAt, SenderDevice are the caller's

	Duplicate bool     // out
	Members   []string // out, as of a Send
}

// MarkRead raises a user's read mark. Refused with not_member; with bad_field past the conversation's Last.
type MarkRead struct {
	Outcome
	User         string
	Conversation ConversationID
	Seq          uint64
	At           Millis

	Unchanged bool   // out: the mark stood there already, or further on
	Read      uint64 // out: where the mark stands now
	Peer      string // out: the other one of a direct conversation, as Conversation.Peer has it
}

// Schedule stores a message to be sent later, and its dedup key, as one. Refused as a Send is; a repeat answers as in
// Send, with the ID of the first one while that waits.
type Schedule struct {
	Outcome
	Scheduled   Scheduled // ID is filled in
	CreateUsers bool      // as of a Send
	SenderName  string    // as of a Send
	Hash        uint64

	Duplicate bool      // out
	Sent      MessageID // out, with Duplicate: the first one's if it was sent already
	Cancelled bool      // out, with Duplicate
}

// FireScheduled turns a scheduled message into a sent one: checks membership and ban again, inserts it, points its
// dedup key at the seq, deletes the scheduled row, all as one. Refused with not_found when it is not there (any more).
// When the send itself is refused, the row is deleted, the dedup key says cancelled, and Err says why.
type FireScheduled struct {
	Outcome
	ID     uint64
	At     Millis
	Node   string
	Events func(sent *Send) []Event // as of a Send

	Sent Send // out: To, Group, Record, Members, as of a Send
}

// CancelScheduled deletes a scheduled message; repeats of it answer Cancelled for as long as dedup keys are kept.
// Refused with not_found; forbidden unless By is its sender or empty.
type CancelScheduled struct {
	Outcome
	ID uint64
	By string
}

// AddEvents writes events whose cause is not in the ledger, in order.
type AddEvents struct {
	Outcome
	Events []Event
}

// PutEvent changes state, attempts and next attempt of an outgoing event; EventDone deletes it.
// Refused with not_found.
type PutEvent struct {
	Outcome
	ID            uint64
	State         EventState
	Attempts      uint32
	NextAttemptAt Millis
}

// Purge removes the records of a conversation below First and the receipts that end below it, and raises its First;
// dedup keys stay. A First past Last+1 counts as Last+1; the caller keeps the steps small.
type Purge struct {
	Outcome
	Conversation ConversationID
	First        uint64
}

// TakeLease makes Holder the one who does what Name stands for, until Until. Whoever holds it takes it again before that,
// or gives it up with an Until that is not after At. Refused with conflict while it is another's at At.
//
// The moments are the callers' own clocks': where these differ two may believe to hold it, so it only keeps work from
// being done twice, and nothing may come to harm when it is.
type TakeLease struct {
	Outcome
	Name, Holder string
	At, Until    Millis
}

// leaseTerms is how many of its terms a lease may have left at most.
const leaseTerms = 12

// Yields reports whether a lease that another one has until a moment is still the other's at At. One that has far more than its
// term left was taken by a clock that is far ahead, and its holder may be dead for as long: it is nobody's.
func (op *TakeLease) Yields(until Millis) bool {
	term := op.Until - op.At
	return until > op.At && (term <= 0 || until <= op.At+leaseTerms*term)
}
