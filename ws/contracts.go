package ws

import (
	"context"
	"time"

	"github.com/yanlink/yanlink/ws/protocol"
)

// ErrUnavailable is what a Store returns, wrapped as Cause of a storage_unavailable protocol.Error or compared by code,
// when the ledger cannot be reached or written now.
var ErrUnavailable = protocol.NewError(protocol.StorageUnavailable, "the ledger cannot be written now; try again later")

// ErrNotFound is what a Store's reads return for what is not there.
var ErrNotFound = protocol.NewError(protocol.NotFound, "not found")

// Store is the ledger. Every method is safe for concurrent use, honours its context's deadline where it waits for
// anything outside, and returns ErrUnavailable (errors.Is) when the ledger cannot be reached or written.
//
// Reads never show what is not durable yet: whatever a read returns survives a power cut.
type Store interface {
	Committer
	Reader

	// Info describes the ledger.
	Info() LedgerInfo
	// Secret returns the ledger's secret: made with the ledger, or by the first node that opens one which had none; the same
	// for every node from then on, after restarts and in a new epoch; another one in each ledger, but for a copy. It stays out
	// of logs and answers.
	Secret() Secret
	// Close waits for a commit under way and frees everything. Calls after it return ErrUnavailable.
	Close() error
}

// Committer is the writing half of a Store.
type Committer interface {
	// Commit applies ops in order as one atomic write that is durable when Commit returns nil. Later ops see
	// what earlier ones did. An op that cannot hold is refused alone (its Outcome.Err), and changes nothing.
	// When Commit returns an error nothing of the batch holds, now or after a restart, except after
	// ErrUnavailable: then it may turn out to hold, and repeating the batch is harmless, because
	// sends with a msgid are deduplicated and acknowledgements only raise.
	Commit(ctx context.Context, ops []Op) error
}

// Reader is the reading half of a Store.
type Reader interface {
	// User returns a known user, or ErrNotFound.
	User(ctx context.Context, openID string) (User, error)
	// Users returns the known ones among openIDs, in no order.
	Users(ctx context.Context, openIDs []string) ([]User, error)
	// Devices lists a user's devices by name.
	Devices(ctx context.Context, user string) ([]Device, error)
	// IdleDevices lists up to limit ephemeral devices last seen before t.
	IdleDevices(ctx context.Context, t Millis, limit int) ([]Device, error)
	// Token returns an accepted token and its user, or ErrNotFound.
	Token(ctx context.Context, hash [32]byte) (Token, User, error)
	// Tokens lists accepted tokens by hash, those above after, up to limit.
	Tokens(ctx context.Context, after [32]byte, limit int) ([]Token, error)

	// Conversation returns a conversation, or ErrNotFound.
	Conversation(ctx context.Context, id ConversationID) (Conversation, error)
	// Conversations lists all conversations by id, those above after, up to limit.
	Conversations(ctx context.Context, after ConversationID, limit int) ([]Conversation, error)
	// FindConversation finds a conversation by kind and key, or returns ErrNotFound.
	FindConversation(ctx context.Context, kind ConversationKind, key string) (Conversation, error)
	// ConversationsOf lists the conversations that user has a stay in, by id, those above after, up to limit.
	ConversationsOf(ctx context.Context, user string, after ConversationID, limit int) ([]Membership, error)
	// Members lists the users with an open stay, by openid.
	Members(ctx context.Context, id ConversationID) ([]Stay, error)
	// CountMembers returns how many users have an open stay, without listing them.
	CountMembers(ctx context.Context, id ConversationID) (int, error)
	// Stays lists a user's stays in a conversation in order; empty if there never was one.
	Stays(ctx context.Context, id ConversationID, user string) ([]Stay, error)
	// Updated returns the conversations whose newest record is at least as new as since.
	Updated(ctx context.Context, since Millis) ([]Head, error)

	// Positions returns where a device stands in each of the named conversations its user has a stay in.
	Positions(ctx context.Context, device DeviceRef, ids []ConversationID) ([]Position, error)
	// Behind returns where a device stands in each conversation, with id above after, that has anything past its
	// cursor and inside its user's stays; by id, up to limit.
	Behind(ctx context.Context, device DeviceRef, after ConversationID, limit int) ([]Position, error)
	// Lagging returns those of the devices for which Behind would return anything, in no order. It is asked for the
	// sessions of a whole node at a time, so that it has to be one question to the ledger for hundreds of them.
	Lagging(ctx context.Context, devices []DeviceRef) ([]DeviceRef, error)

	// Page returns the records from to to (both inclusive; to 0 for no end) in order, as many as fit in maxCount and
	// maxBytes of bodies, at least one if there is one. Purged positions are skipped.
	Page(ctx context.Context, id ConversationID, from, to uint64, maxCount, maxBytes int) ([]*Record, error)
	// Record returns one record, or ErrNotFound.
	Record(ctx context.Context, id MessageID) (*Record, error)
	// Dedup finds what a sender's msgid stands for in a conversation: the seq, or ErrNotFound when there is none
	// (never sent, still scheduled, or cancelled).
	Dedup(ctx context.Context, id ConversationID, sender, msgid string) (uint64, error)
	// ReceiptsAfter lists a device's receipts in a conversation with To > seq, by From.
	ReceiptsAfter(ctx context.Context, device DeviceRef, id ConversationID, seq uint64) ([]Receipt, error)
	// ReceiptsOf lists the receipts of all devices that cover a seq, by user and device.
	ReceiptsOf(ctx context.Context, id MessageID) ([]Receipt, error)

	// DueScheduled lists up to limit scheduled messages due at or before t, the earliest first.
	DueScheduled(ctx context.Context, t Millis, limit int) ([]Scheduled, error)
	// Events lists up to limit outgoing events in state with ID above after, by ID.
	Events(ctx context.Context, state EventState, after uint64, limit int) ([]Event, error)
}

// Membership is a conversation as one user sees it.
type Membership struct {
	Conversation Conversation
	Stays        []Stay
}

// Head is a conversation's newest position.
type Head struct {
	Conversation ConversationID
	Kind         ConversationKind
	Key          string // as in Conversation: whom a direct one concerns needs no question to the ledger
	Last         uint64
	UpdatedAt    Millis
	// MembersVersion is as in Conversation: as long as it stays the same, so do the members.
	MembersVersion uint64
}

// Position is where a device stands in a conversation.
type Position struct {
	Conversation Conversation
	Cursor       Cursor // Seq is the start of the stay, less one, where the device has no cursor
	Stays        []Stay
}

// Clock tells the time; the zero value of what takes one means the wall clock.
type Clock func() time.Time

// Authorizer decides what an identity may do; embed AllowAll to decide some of it. Methods are called on the path of each
// request, by many goroutines at once, and must be quick. Over REST, administrators and service keys with the scope read may
// watch and read all, and are not asked about.
type Authorizer interface {
	// MaySend returns nil if from may write to the user to; a *protocol.Error is shown to the client.
	MaySend(ctx context.Context, from, to string) error
	// MayWatch reports whether watcher may ask for the user's presence, and be told when it changes; the user is unknown to
	// them otherwise. A session is asked about when it subscribes, and not again. Whom one has messages with one knows more
	// of, whatever it says: their frames tell loginStatus, and receipts tell devices.
	MayWatch(ctx context.Context, watcher, user string) bool
	// MayRead returns nil if reader, who is or was a member, may read back what was said in a conversation: its history, and
	// the last message in a list, which is left out otherwise. A *protocol.Error is shown to the client. What is delivered is
	// not asked about, nor what became of a message, which does not show what it says.
	MayRead(ctx context.Context, reader string, conversation *Conversation) error
}

// AllowAll lets everybody do everything.
type AllowAll struct{}

// MaySend returns nil.
func (AllowAll) MaySend(context.Context, string, string) error { return nil }

// MayWatch returns true.
func (AllowAll) MayWatch(context.Context, string, string) bool { return true }

// MayRead returns nil.
func (AllowAll) MayRead(context.Context, string, *Conversation) error { return nil }
