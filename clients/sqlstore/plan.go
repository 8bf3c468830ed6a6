package sqlstore

import (
	"github.com/yanlink/yanlink/ws"
)

// wants are the rows of one kind that a batch needs; true: locked.
type wants[K comparable] map[K]bool

// add wants key, locked if lock is set now or was before.
func (w wants[K]) add(key K, lock bool) { w[key] = w[key] || lock }

// span is a run of seqs.
type span struct{ from, to uint64 }

// plan is what a batch needs to have locked and read before its ops can be applied. It is made from the ops, and grows
// when applying them shows that they need more.
type plan struct {
	names   map[nameRef]ws.ConversationID // 0: not found
	reserve map[nameRef]bool              // names to be given a number

	conversations wants[ws.ConversationID]
	users         wants[string]
	stays         wants[stayRef]
	cursors       wants[cursorRef] // always locked
	events        wants[uint64]    // always locked
	leases        wants[string]    // always locked

	devicesOf, staysOf, cursorsOf map[string]bool // by user
	members                       map[ws.ConversationID]bool
	receipts                      map[cursorRef]span
	dedups                        map[dedupRef]bool
	records                       map[ws.MessageID]bool
	scheduled                     map[uint64]bool
	tokens                        map[[32]byte]bool
	schedules                     int      // messages to be scheduled at most
	numbers                       []uint64 // ids for them
}

func newPlan(ops []ws.Op) *plan {
	p := &plan{
		names: map[nameRef]ws.ConversationID{}, reserve: map[nameRef]bool{},
		conversations: wants[ws.ConversationID]{}, users: wants[string]{}, stays: wants[stayRef]{}, cursors: wants[cursorRef]{},
		events: wants[uint64]{}, leases: wants[string]{}, devicesOf: map[string]bool{}, staysOf: map[string]bool{}, cursorsOf: map[string]bool{},
		members: map[ws.ConversationID]bool{}, receipts: map[cursorRef]span{}, dedups: map[dedupRef]bool{},
		records: map[ws.MessageID]bool{}, scheduled: map[uint64]bool{}, tokens: map[[32]byte]bool{},
	}
	for _, op := range ops {
		p.add(op)
	}
	return p
}

// add notes what can be told from an op alone; what it leads to shows when it is applied.
func (p *plan) add(op ws.Op) {
	switch op := op.(type) {
	case *ws.Send:
		p.message(op.Record.Sender, op.To, op.Group)
	case *ws.Ack:
		p.cursors.add(cursorRef{ws.DeviceRef{User: op.User, Device: op.Device}, op.Conversation}, true)
		p.conversations.add(op.Conversation, false)
	case *ws.OpenDevice:
		if op.Accept != nil {
			p.add(op.Accept)
		}
		p.person(op.User)
	case *ws.DropDevice:
		p.person(op.User)
	case *ws.SeenDevice:
		p.person(op.User)
	case *ws.PutUser:
		p.users.add(op.OpenID, true)
	case *ws.BanUser:
		p.users.add(op.OpenID, true)
	case *ws.RevokeTokens:
		p.users.add(op.OpenID, true)
	case *ws.AcceptToken:
		p.users.add(op.Token.OpenID, true)
		p.tokens[op.Token.Hash] = true
	case *ws.DropToken:
		p.users.add(op.OpenID, true)
		p.tokens[op.Hash] = true
	case *ws.CreateGroup:
		p.names[nameRef{ws.Group, op.Key}] = 0
		for _, user := range append([]string{op.By}, op.Users...) {
			p.users.add(user, false)
		}
	case *ws.Change:
		p.group(op.Conversation)
		p.users.add(op.Record.Subject, false)
	case *ws.Recall:
		p.group(op.Record.Conversation)
		p.records[ws.MessageID{Conversation: op.Record.Conversation, Seq: op.Seq}] = true
	case *ws.MarkRead:
		p.stays.add(stayRef{op.User, op.Conversation}, true)
		p.conversations.add(op.Conversation, false)
	case *ws.Schedule:
		p.message(op.Scheduled.Draft.Sender, op.Scheduled.To, op.Scheduled.Group)
		p.schedules++
	case *ws.FireScheduled:
		p.scheduled[op.ID] = true
	case *ws.CancelScheduled:
		p.scheduled[op.ID] = true
	case *ws.PutEvent:
		p.events.add(op.ID, true)
	case *ws.Purge:
		p.conversations.add(op.Conversation, true)
	case *ws.TakeLease:
		p.leases.add(op.Name, true)
	}
}

func (p *plan) person(user string) {
	p.users.add(user, true)
	p.devicesOf[user] = true
}

func (p *plan) group(id ws.ConversationID) {
	p.conversations.add(id, true)
	if id != ws.SystemConversation {
		p.members[id] = true
	}
}

func (p *plan) message(sender, to string, group ws.ConversationID) {
	p.users.add(sender, false)
	if group != 0 {
		p.group(group)
		return
	}
	p.users.add(to, false)
	p.names[directName(sender, to)] = 0
}

// messages notes what the ops need once the numbers of the conversations between two users are known.
func (p *plan) messages(ops []ws.Op) {
	for _, op := range ops {
		switch op := op.(type) {
		case *ws.Send:
			p.messageTo(&op.Record, op.To, op.Group)
		case *ws.Schedule:
			p.messageTo(&op.Scheduled.Draft, op.Scheduled.To, op.Scheduled.Group)
		}
	}
}

func (p *plan) messageTo(r *ws.Record, to string, group ws.ConversationID) {
	id := group
	if id == 0 {
		if id = p.names[directName(r.Sender, to)]; id == 0 {
			return
		}
		p.conversations.add(id, true)
	}
	if r.MsgID != "" {
		p.dedups[dedupRef{id, r.Sender, r.MsgID}] = true
	}
}
