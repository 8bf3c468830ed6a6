package pebblestore

import (
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/yanlink/yanlink/ws"
)

// How many rows of each kind the committer remembers between batches; the rest is read again when it is needed.
const (
	usersKept         = 1 << 16
	devicesKept       = 1 << 16
	conversationsKept = 1 << 16
	staysKept         = 1 << 17
	cursorsKept       = 1 << 17
	tokensKept        = 1 << 12
)

// nameRef is a conversation's kind and key; of a direct one the sorted pair, so that looking one up builds no string.
type nameRef struct {
	kind ws.ConversationKind
	a, b string
}

func directName(x, y string) nameRef {
	if y < x {
		x, y = y, x
	}
	return nameRef{ws.Direct, x, y}
}

func (n nameRef) key() string {
	if n.kind == ws.Direct {
		return n.a + "," + n.b
	}
	return n.a
}

// conversation is a conversation's row with the members it has now; members is nil until somebody asks, and is never
// changed in place, since outcomes hold it.
type conversation struct {
	ws.Conversation
	members []string
}

type stayRef struct {
	id   ws.ConversationID
	user string
}

type cursorRef struct {
	ws.DeviceRef
	id ws.ConversationID
}

// cursor is a cursor's row with the receipts that the batch adds beside it.
type cursor struct {
	ws.Cursor
	changed bool
	// covered is the highest seq that a stored receipt covers; known once knowsCovered.
	covered      uint64
	knowsCovered bool
	runs         []ws.Receipt
}

type dedupRef struct {
	id            ws.ConversationID
	sender, msgid string
}

// event is an outgoing event with the state under which it is stored; 0: not stored yet.
type event struct {
	ws.Event
	stored ws.EventState
}

// lease is who holds a lease, and until when.
type lease struct {
	holder string
	until  ws.Millis
}

// tables are all that the committer remembers.
type tables struct {
	users         table[string, user]
	devices       table[ws.DeviceRef, ws.Device]
	tokens        table[[32]byte, ws.Token]
	names         table[nameRef, ws.ConversationID]
	conversations table[ws.ConversationID, conversation]
	stays         table[stayRef, []ws.Stay]
	cursors       table[cursorRef, cursor]
	dedups        table[dedupRef, dedup]
	scheduled     table[uint64, ws.Scheduled]
	events        table[uint64, event]
	leases        table[string, lease]

	all []interface {
		flush(b *batch) error
		settle()
		rollback()
	}
}

func newTables(filter *dedupFilter) *tables {
	t := &tables{
		users:         newTable(usersKept, loadUser, strings.Clone, writeUser),
		devices:       newTable(devicesKept, loadDevice, ownDevice, writeDevice),
		tokens:        newTable(tokensKept, loadToken, same[[32]byte], writeToken),
		names:         newTable(conversationsKept, loadNameRef, ownName, writeName),
		conversations: newTable(conversationsKept, loadConversationRow, same[ws.ConversationID], writeConversation),
		stays:         newTable(staysKept, loadStaysRow, ownStay, writeStays),
		cursors:       newTable(cursorsKept, loadCursorRow, ownCursor, writeCursor),
		dedups:        newTable(0, filter.load, same[dedupRef], filter.write),
		scheduled:     newTable(0, loadScheduled, same[uint64], writeScheduled),
		events:        newTable(0, loadEventRow, same[uint64], writeEvent),
		leases:        newTable(0, loadLease, same[string], writeLease),
	}
	t.all = append(t.all, &t.users, &t.devices, &t.tokens, &t.names, &t.conversations, &t.stays, &t.cursors, &t.dedups, &t.scheduled, &t.events, &t.leases)
	return t
}

func newTable[K comparable, V any](
	limit int, load func(pebble.Reader, K) (V, bool, error), own func(K) K, write func(*batch, *row[K, V]) error,
) table[K, V] {
	return table[K, V]{rows: map[K]*row[K, V]{}, limit: limit, load: load, own: own, write: write}
}

func same[K any](key K) K { return key }

func ownDevice(ref ws.DeviceRef) ws.DeviceRef {
	return ws.DeviceRef{User: strings.Clone(ref.User), Device: strings.Clone(ref.Device)}
}

func ownName(n nameRef) nameRef { return nameRef{n.kind, strings.Clone(n.a), strings.Clone(n.b)} }

func ownStay(s stayRef) stayRef { return stayRef{s.id, strings.Clone(s.user)} }

func ownCursor(c cursorRef) cursorRef { return cursorRef{ownDevice(c.DeviceRef), c.id} }

func loadNameRef(r pebble.Reader, n nameRef) (ws.ConversationID, bool, error) {
	return loadName(r, n.kind, n.key())
}

func loadConversationRow(r pebble.Reader, id ws.ConversationID) (conversation, bool, error) {
	c, ok, err := loadConversation(r, id)
	return conversation{Conversation: c}, ok, err
}

func loadStaysRow(r pebble.Reader, ref stayRef) ([]ws.Stay, bool, error) {
	return loadStays(r, ref.user, ref.id)
}

func loadCursorRow(r pebble.Reader, ref cursorRef) (cursor, bool, error) {
	c, ok, err := loadCursor(r, ref.DeviceRef, ref.id)
	return cursor{Cursor: c}, ok, err
}

func loadEventRow(r pebble.Reader, id uint64) (event, bool, error) {
	e, ok, err := loadEvent(r, id)
	return event{Event: e, stored: e.State}, ok, err
}
