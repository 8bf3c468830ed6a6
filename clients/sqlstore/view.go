package sqlstore

import (
	"github.com/yanlink/yanlink/ws"
)

// nameRef is what a conversation is called: its kind and key.
type nameRef struct {
	kind ws.ConversationKind
	key  string
}

func directName(a, b string) nameRef { return nameRef{ws.Direct, ws.DirectKey(a, b)} }

type stayRef struct {
	user string
	id   ws.ConversationID
}

type cursorRef struct {
	ws.DeviceRef
	id ws.ConversationID
}

type dedupRef struct {
	id            ws.ConversationID
	sender, msgid string
}

// row is one row as a batch has it.
type row[K comparable, V any] struct {
	key    K
	val    V
	exists bool // as the batch has made it
	stored bool // it is in the database
	locked bool
	dirty  bool
	gone   bool // what is stored was removed, even if it was made again since
}

// table is the rows of one kind that a batch knows. What is asked for and was not read is noted in the plan: the batch
// then runs again, and what the ops made of it until then is void.
type table[K comparable, V any] struct {
	rows  map[K]*row[K, V]
	dirty []*row[K, V]
	want  func(key K, lock bool)
	// whole says that all rows that there are of those like key are known; nil: never.
	whole func(key K) bool
}

// get returns the row of key, which may not exist.
func (t *table[K, V]) get(key K) *row[K, V] {
	r, ok := t.rows[key]
	if !ok {
		r = &row[K, V]{key: key}
		t.rows[key] = r
		if t.whole == nil || !t.whole(key) {
			t.want(key, false)
		}
	}
	return r
}

// load puts a row that was read; one that was locked stays as it is.
func (t *table[K, V]) load(key K, val V, locked bool) *row[K, V] {
	if r, ok := t.rows[key]; ok && r.stored {
		return r
	}
	r := &row[K, V]{key: key, val: val, exists: true, stored: true, locked: locked}
	t.rows[key] = r
	return r
}

// absent notes that there is no row of key unless one was read.
func (t *table[K, V]) absent(key K) {
	if _, ok := t.rows[key]; !ok {
		t.rows[key] = &row[K, V]{key: key}
	}
}

// hold sees to it that the row is locked, if there is one.
func (t *table[K, V]) hold(r *row[K, V]) {
	if r.stored && !r.locked {
		t.want(r.key, true)
	}
}

// touch says that the row was changed and is to be written.
func (t *table[K, V]) touch(r *row[K, V]) {
	t.hold(r)
	if !r.dirty {
		r.dirty = true
		t.dirty = append(t.dirty, r)
	}
}

// put makes the row exist with val.
func (t *table[K, V]) put(r *row[K, V], val V) {
	r.val, r.exists = val, true
	t.touch(r)
}

// remove makes the row not exist.
func (t *table[K, V]) remove(r *row[K, V]) {
	r.exists, r.gone = false, r.stored
	t.touch(r)
}

// conversation is a conversation with the members it has now, sorted; nil until somebody asks. A list is never changed
// in place, since outcomes hold it.
type conversation struct {
	ws.Conversation
	members []string
}

// progress is a cursor with the receipts that the batch adds beside it.
type progress struct {
	cursor
	runs []ws.Receipt
}

// written is the cursor as the batch leaves it.
func (p *progress) written() cursor {
	c := p.cursor
	for i := range p.runs {
		c.covered = max(c.covered, p.runs[i].To)
	}
	return c
}

// person is what is known of a user beyond single rows.
type person struct {
	devices                                map[string]*row[ws.DeviceRef, ws.Device]
	stays                                  []*row[stayRef, []ws.Stay]
	knowsDevices, knowsStays, knowsCursors bool
}

// view is the ledger as a batch sees it: what was locked and read before, and what the batch's ops have made of it.
type view struct {
	plan    *plan
	lacking bool        // something was not read, or not locked: what the ops did is void
	assumed *assumption // what the view is made of was not read but remembered; nil: it was read

	conversations table[ws.ConversationID, conversation]
	users         table[string, user]
	devices       table[ws.DeviceRef, ws.Device]
	tokens        table[[32]byte, ws.Token]
	stays         table[stayRef, []ws.Stay]
	cursors       table[cursorRef, progress]
	dedups        table[dedupRef, dedup]
	records       table[ws.MessageID, record]
	scheduled     table[uint64, ws.Scheduled]
	events        table[uint64, ws.Event]
	leases        table[string, lease]

	heads     map[ws.ConversationID]uint64 // the last positions of locked conversations, as the batch found them
	people    map[string]*person
	lists     map[ws.ConversationID][]string // members as they are stored
	receipts  map[cursorRef][]ws.Receipt     // stored ones, of the spans in the plan
	spans     map[cursorRef]span             // what of them was read
	numbers   []uint64                       // ids left for scheduled messages
	fresh     []ws.Event                     // new events
	purged    []prefix
	receivers []cursorRef // devices that get their first receipt in a conversation
}

func newView(p *plan) *view {
	v := &view{
		plan: p, numbers: p.numbers, heads: map[ws.ConversationID]uint64{}, people: map[string]*person{}, lists: map[ws.ConversationID][]string{},
		receipts: map[cursorRef][]ws.Receipt{}, spans: map[cursorRef]span{},
	}
	v.conversations = newTable[ws.ConversationID, conversation](noting(v, p.conversations.add))
	v.users = newTable[string, user](noting(v, p.users.add))
	v.stays = newTable[stayRef, []ws.Stay](noting(v, p.stays.add))
	v.cursors = newTable[cursorRef, progress](noting(v, func(ref cursorRef, _ bool) { p.cursors.add(ref, true) }))
	v.events = newTable[uint64, ws.Event](noting(v, func(id uint64, _ bool) { p.events.add(id, true) }))
	v.leases = newTable[string, lease](noting(v, func(name string, _ bool) { p.leases.add(name, true) }))
	v.devices = newTable[ws.DeviceRef, ws.Device](noting(v, func(ref ws.DeviceRef, lock bool) {
		p.users.add(ref.User, lock)
		p.devicesOf[ref.User] = true
	}))
	v.tokens = newTable[[32]byte, ws.Token](noting(v, func(hash [32]byte, _ bool) { p.tokens[hash] = true }))
	v.dedups = newTable[dedupRef, dedup](noting(v, func(ref dedupRef, _ bool) { p.dedups[ref] = true }))
	v.records = newTable[ws.MessageID, record](noting(v, func(id ws.MessageID, _ bool) { p.records[id] = true }))
	v.scheduled = newTable[uint64, ws.Scheduled](noting(v, func(id uint64, _ bool) { p.scheduled[id] = true }))
	v.devices.whole = func(ref ws.DeviceRef) bool { return v.person(ref.User).knowsDevices }
	v.stays.whole = func(ref stayRef) bool { return v.person(ref.user).knowsStays }
	return v
}

func newTable[K comparable, V any](want func(key K, lock bool)) table[K, V] {
	return table[K, V]{rows: map[K]*row[K, V]{}, want: want}
}

// noting lets what is added to the plan void the batch.
func noting[K any](v *view, add func(key K, lock bool)) func(key K, lock bool) {
	return func(key K, lock bool) {
		v.lacking = true
		add(key, lock)
	}
}

func (v *view) person(user string) *person {
	p, ok := v.people[user]
	if !ok {
		p = &person{devices: map[string]*row[ws.DeviceRef, ws.Device]{}}
		v.people[user] = p
	}
	return p
}
