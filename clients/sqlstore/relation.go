package sqlstore

import (
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
)

// kind is how a column's values go to the server.
type kind uint8

const (
	integer kind = iota
	boolean
	bytes // compared byte by byte
	text  // of people: names and bodies
)

type column struct {
	name   string
	kind   kind
	raised bool // a row that is there keeps the greater of its own value and the new one
}

// relation is a table of the database. Its first columns are its primary key.
type relation struct {
	name    string
	keys    int
	columns []column
}

// newRelation describes a table by its columns in their order, each name:kind; without a kind it is an integer, and raised
// if the kind says so.
func newRelation(name string, keys int, columns string) *relation {
	kinds := map[string]kind{"bytes": bytes, "text": text, "boolean": boolean}
	r := &relation{name: name, keys: keys}
	for word := range strings.FieldsSeq(columns) {
		name, is, _ := strings.Cut(word, ":")
		r.columns = append(r.columns, column{name: name, kind: kinds[is], raised: is == "raised"})
	}
	return r
}

// key returns the first n columns of the primary key.
func (r *relation) key(n int) []column { return r.columns[:n] }

// named returns columns by their names.
func (r *relation) named(names ...string) (columns []column) {
	for _, name := range names {
		at := slices.IndexFunc(r.columns, func(c column) bool { return c.name == name })
		columns = append(columns, r.columns[at])
	}
	return columns
}

var (
	writers   = newRelation("yanlink_writers", 1, "id:bytes batch used_at")
	users     = newRelation("yanlink_users", 1, "openid:bytes name:text first_seen last_seen token_epoch revoked_at banned:boolean")
	devices   = newRelation("yanlink_devices", 2, "openid:bytes device:bytes epoch created_at last_seen ephemeral:boolean")
	tokens    = newRelation("yanlink_tokens", 1, "hash:bytes openid:bytes epoch expires_at")
	receivers = newRelation("yanlink_receivers", 3, "conversation openid:bytes device:bytes")
	receipts  = newRelation("yanlink_receipts", 4, "conversation openid:bytes device:bytes from_seq to_seq node:bytes attempts acked_at")
	cursors   = newRelation("yanlink_cursors", 3, "openid:bytes device:bytes conversation seq:raised due_seq:raised covered_seq:raised")
	dedups    = newRelation("yanlink_dedup", 3, "conversation sender:bytes msgid:bytes state number hash")
	events    = newRelation("yanlink_outbox", 1, "id topic:bytes event_key:bytes payload:bytes state attempts next_attempt_at")
	leases    = newRelation("yanlink_leases", 1, "name:bytes holder:bytes until_at")
	members   = newRelation("yanlink_members", 3,
		"openid:bytes conversation joined_seq left_seq role delivered_seq:raised read_seq:raised read_at:raised")
	conversations = newRelation("yanlink_conversations", 1,
		"id kind conversation_key:bytes name:text first_seq last_seq members_version created_at updated_at")
	messages = newRelation("yanlink_messages", 2, `conversation seq kind sender:bytes sender_device:bytes msgid:bytes request_id:bytes
		node:bytes body:text body_bytes file_type triggered_by target_seq subject:bytes created_at expire_at recalled_at recall_seq`)
	scheduled = newRelation("yanlink_scheduled", 1, `id due_at recipient:bytes conversation ttl sender:bytes sender_device:bytes
		msgid:bytes request_id:bytes node:bytes body:text file_type triggered_by`)
	// freshEvents is the outbox for events that the database numbers.
	freshEvents = &relation{events.name, 0, events.columns[1:]}
)

// conversationKey is what finds a conversation by its name.
var conversationKey = conversations.named("kind", "conversation_key")

// What a commit from memory changes, and what tells whether that is as remembered.
var (
	headSet  = conversations.named("last_seq", "updated_at")
	headHeld = conversations.named("last_seq", "members_version")
	cursorAt = cursors.named("seq", "due_seq", "covered_seq")
	endOf    = conversations.named("id", "last_seq")
)

// user is a user's row: what the contract shows, and when the tokens were revoked last.
type user struct {
	ws.User
	revokedAt ws.Millis
}

// record is a record's row: what the contract shows, and of a recalled message the position of its recall.
type record struct {
	ws.Record
	recall uint64
}

// cursor is a cursor's row, with the highest position that a receipt of the device covers.
type cursor struct {
	ws.Cursor
	covered uint64
}

// lease is who holds a lease, and until when.
type lease struct {
	holder string
	until  ws.Millis
}

// dedupState says what a msgid stands for.
type dedupState uint8

const (
	dedupSent dedupState = iota + 1
	dedupScheduled
	dedupCancelled
)

// dedup is what a sender's msgid stands for: the seq of a sent message, or the id of a scheduled one.
type dedup struct {
	state dedupState
	n     uint64
	hash  uint64
}
