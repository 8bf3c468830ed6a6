package wstest

import (
	"maps"
	"slices"
	"strings"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// ledger is what a MemStore holds: the tables of the ledger as maps. Its owner serialises access.
type ledger struct {
	users         map[string]*user
	devices       map[ws.DeviceRef]*ws.Device
	tokens        map[[32]byte]ws.Token
	conversations map[ws.ConversationID]*conversation
	byKey         map[conversationKey]ws.ConversationID
	cursors       map[cursorKey]ws.Cursor
	dedup         map[dedupKey]*dedup
	scheduled     map[uint64]*scheduled
	events        map[uint64]*ws.Event
	leases        map[string]lease

	lastConversation ws.ConversationID
	lastScheduled    uint64
	lastEvent        uint64
}

type user struct {
	ws.User
	revokedAt ws.Millis
	in        map[ws.ConversationID]bool // where the user has a stay
}

type conversation struct {
	ws.Conversation
	records  map[uint64]*ws.Record
	stays    map[string][]ws.Stay
	receipts map[ws.DeviceRef]map[uint64]ws.Receipt // by From
}

type conversationKey struct {
	kind ws.ConversationKind
	key  string
}

type cursorKey struct {
	ws.DeviceRef
	conversation ws.ConversationID
}

// dedupKey names the conversation by its key, since a scheduled message may be the first of a conversation to come.
type dedupKey struct {
	conversationKey
	sender, msgid string
}

// dedup is what a msgid stands for: exactly one of seq, scheduled and cancelled is set.
type dedup struct {
	hash      uint64
	seq       uint64
	scheduled uint64
	cancelled bool
}

type scheduled struct {
	ws.Scheduled
	dedup *dedup // nil without a msgid
}

type lease struct {
	holder string
	until  ws.Millis
}

func newLedger() *ledger {
	l := &ledger{
		users:         map[string]*user{},
		devices:       map[ws.DeviceRef]*ws.Device{},
		tokens:        map[[32]byte]ws.Token{},
		conversations: map[ws.ConversationID]*conversation{},
		byKey:         map[conversationKey]ws.ConversationID{},
		cursors:       map[cursorKey]ws.Cursor{},
		dedup:         map[dedupKey]*dedup{},
		scheduled:     map[uint64]*scheduled{},
		events:        map[uint64]*ws.Event{},
		leases:        map[string]lease{},
	}
	l.create(ws.System, "system", "", 0) // the first one: its id is ws.SystemConversation
	return l
}

// create makes an empty conversation.
func (l *ledger) create(kind ws.ConversationKind, key, name string, at ws.Millis) *conversation {
	l.lastConversation++
	c := &conversation{
		Conversation: ws.Conversation{ID: l.lastConversation, Kind: kind, Key: key, Name: name, First: 1, CreatedAt: at},
		records:      map[uint64]*ws.Record{},
		stays:        map[string][]ws.Stay{},
		receipts:     map[ws.DeviceRef]map[uint64]ws.Receipt{},
	}
	l.conversations[c.ID] = c
	l.byKey[conversationKey{kind, key}] = c.ID
	return c
}

// know makes a user known, and so a member of the system conversation; a known one stays as it is.
func (l *ledger) know(openID, name string, at ws.Millis) *user {
	if u := l.users[openID]; u != nil {
		return u
	}
	u := &user{
		User: ws.User{OpenID: openID, Name: name, FirstSeen: at, LastSeen: at},
		in:   map[ws.ConversationID]bool{},
	}
	l.users[openID] = u
	system := l.conversations[ws.SystemConversation]
	l.join(system, openID, system.Last+1, ws.Member)
	return u
}

// rename is know with a name that a known user takes over.
func (l *ledger) rename(openID, name string, at ws.Millis) *user {
	u := l.know(openID, name, at)
	if name != "" {
		u.Name = name
	}
	return u
}

func (l *ledger) banned(openID string) bool {
	u := l.users[openID]
	return u != nil && u.Banned
}

// join begins a stay.
func (l *ledger) join(c *conversation, openID string, seq uint64, role ws.Role) {
	c.stays[openID] = append(c.stays[openID], ws.Stay{Conversation: c.ID, User: openID, Joined: seq, Role: role})
	c.MembersVersion++
	l.users[openID].in[c.ID] = true
}

// leave ends the open stay of a member.
func (c *conversation) leave(openID string, seq uint64) {
	stays := c.stays[openID]
	stays[len(stays)-1].Left = seq
	c.MembersVersion++
}

// open returns a user's open stay, nil if there is none. A stay that lasts is always the last one.
func (c *conversation) open(openID string) *ws.Stay {
	stays := c.stays[openID]
	if n := len(stays); n > 0 && stays[n-1].Left == 0 {
		return &stays[n-1]
	}
	return nil
}

// members lists the users with an open stay, sorted.
func (c *conversation) members() []string {
	var members []string
	for _, openID := range slices.Sorted(maps.Keys(c.stays)) {
		if c.open(openID) != nil {
			members = append(members, openID)
		}
	}
	return members
}

// named lists the members as ops answer them: nobody of the system conversation.
func (c *conversation) named() []string {
	if c.Kind == ws.System {
		return nil
	}
	return c.members()
}

// append gives rec the next seq and stores a copy of it.
func (c *conversation) append(rec *ws.Record) {
	c.Last++
	rec.Conversation = c.ID
	rec.Seq = c.Last
	stored := *rec
	c.records[rec.Seq] = &stored
	c.UpdatedAt = rec.CreatedAt
}

// cursor returns how far a device has had a conversation that its user has a stay in.
func (l *ledger) cursor(device ws.DeviceRef, c *conversation) ws.Cursor {
	cursor := l.cursors[cursorKey{device, c.ID}]
	cursor.Conversation = c.ID
	cursor.Seq = max(cursor.Seq, c.stays[device.User][0].Joined-1)
	return cursor
}

func (l *ledger) devicesOf(openID string) []*ws.Device {
	var devices []*ws.Device
	for ref, device := range l.devices {
		if ref.User == openID {
			devices = append(devices, device)
		}
	}
	slices.SortFunc(devices, func(a, b *ws.Device) int { return strings.Compare(a.Name, b.Name) })
	return devices
}

// emit adds events to the outbox.
func (l *ledger) emit(events []ws.Event) {
	for _, event := range events {
		l.lastEvent++
		event.ID = l.lastEvent
		if event.State == 0 {
			event.State = ws.EventPending
		}
		event.Payload = slices.Clone(event.Payload)
		l.events[event.ID] = &event
	}
}

func refuse(code protocol.Code, text string) error { return protocol.NewError(code, text) }
