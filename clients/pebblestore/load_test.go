package pebblestore

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// marker is a user whose name says which batch was the last to be committed.
const marker = "marker"

// load is a mixed load of one ledger, with an account of its own: every batch that it committed, and every message that
// it was told is stored.
type load struct {
	*rand.Rand
	batches  [][]ws.Op // as they were before they were committed
	accepted []accepted
	users    []string
	groups   []ws.ConversationID
	waiting  []uint64 // scheduled
	events   []uint64
	now      ws.Millis
}

// accepted is a message that Commit returned nil for, in batch number batch.
type accepted struct {
	batch   int
	record  ws.Record
	members []string
}

func newLoad(seed uint64) *load {
	l := &load{Rand: rand.New(rand.NewPCG(seed, 1)), now: 1_700_000_000_000}
	for i := range 6 {
		l.users = append(l.users, fmt.Sprintf("user-%d", i))
	}
	return l
}

// next builds a batch, whose first op says its number.
func (l *load) next() []ws.Op {
	l.now++
	ops := []ws.Op{&ws.PutUser{OpenID: marker, Name: strconv.Itoa(len(l.batches) + 1), At: l.now}}
	for range 1 + l.IntN(12) {
		ops = append(ops, l.op())
	}
	return ops
}

func (l *load) op() ws.Op {
	switch n := l.IntN(100); {
	case n < 45 || len(l.accepted) == 0:
		return l.send()
	case n < 70:
		return l.ack()
	case n < 78:
		return &ws.OpenDevice{User: l.user(), Device: l.pick("web", "phone", "~tab"), At: l.now, MaxDevices: 3, IdleSince: l.now}
	case n < 80:
		d := l.device()
		return &ws.DropDevice{User: d.User, Device: d.Device, Epoch: uint64(1 + l.IntN(3))}
	case n < 84:
		a := l.accepted[l.IntN(len(l.accepted))].record
		return &ws.Recall{Seq: a.Seq, By: a.Sender, Record: ws.Record{Conversation: a.Conversation, CreatedAt: l.now}}
	case n < 86:
		return &ws.CreateGroup{Key: fmt.Sprintf("group-%d", l.IntN(4)), By: l.user(), Users: []string{l.user(), l.user()}, Record: ws.Record{CreatedAt: l.now}}
	case n < 89 && len(l.groups) > 0:
		kind := []ws.RecordKind{ws.KindJoined, ws.KindLeft, ws.KindRenamed}[l.IntN(3)]
		return &ws.Change{Conversation: l.group(), Record: ws.Record{Kind: kind, Subject: l.user(), Body: "name", CreatedAt: l.now}}
	case n < 92:
		return &ws.Schedule{Hash: 1, Scheduled: ws.Scheduled{DueAt: l.now + 5, To: l.user(), Draft: ws.Record{
			Sender: l.user(), MsgID: fmt.Sprintf("later-%d", l.IntN(200)), Body: "later", CreatedAt: l.now,
		}}}
	case n < 94 && len(l.waiting) > 0:
		return &ws.FireScheduled{ID: l.waiting[l.IntN(len(l.waiting))], At: l.now, Node: "n"}
	case n < 95 && len(l.waiting) > 0:
		return &ws.CancelScheduled{ID: l.waiting[l.IntN(len(l.waiting))]}
	case n < 97:
		return l.relay()
	case n < 98:
		a := l.accepted[l.IntN(len(l.accepted))].record
		return &ws.Purge{Conversation: a.Conversation, First: a.Seq}
	case n < 99:
		return &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{byte(l.IntN(9))}, OpenID: l.user()}, At: l.now}
	}
	a := l.accepted[l.IntN(len(l.accepted))].record
	return &ws.MarkRead{User: a.Sender, Conversation: a.Conversation, Seq: a.Seq}
}

// relay writes events without another cause, and moves them through their states.
func (l *load) relay() ws.Op {
	switch {
	case l.IntN(3) == 0 || len(l.events) == 0:
		return &ws.AddEvents{Events: []ws.Event{{Topic: "t", Key: "k", State: ws.EventPending}, {Topic: "t", Key: "k", State: ws.EventScheduled}}}
	case l.IntN(3) == 0:
		return &ws.TakeLease{Name: l.pick("relay", "other"), Holder: l.user(), At: l.now, Until: l.now + 1}
	}
	return &ws.PutEvent{ID: l.events[l.IntN(len(l.events))], State: ws.EventState(1 + l.IntN(3)), Attempts: 1}
}

func (l *load) send() ws.Op {
	op := &ws.Send{To: l.user(), CreateUsers: true, Hash: 1, Record: ws.Record{
		Kind: ws.KindMessage, Sender: l.user(), SenderDevice: "web", Node: "n", Body: fmt.Sprintf("body %d", l.Uint64()), CreatedAt: l.now,
	}}
	if len(l.groups) > 0 && l.IntN(4) == 0 {
		op.To, op.Group = "", l.group()
	}
	if l.IntN(4) > 0 {
		op.Record.MsgID = fmt.Sprintf("m-%d", l.IntN(2000)) // now and then a repeat
	}
	if l.IntN(8) == 0 {
		op.Events = func(sent *ws.Send) []ws.Event {
			return []ws.Event{{Topic: "t", Key: sent.Record.Conversation.String(), Payload: []byte("payload")}}
		}
	}
	return op
}

// ack acknowledges a message of somebody else, as its caller has to vouch for; the store may still refuse it.
func (l *load) ack() ws.Op {
	chosen := &l.accepted[l.IntN(len(l.accepted))]
	a := chosen.record
	d := l.device()
	op := &ws.Ack{User: d.User, Device: d.Device, Conversation: a.Conversation, At: l.now, Node: "n", Attempts: uint32(l.IntN(2))}
	if d.User != a.Sender && slices.Contains(chosen.members, d.User) {
		op.From, op.To = a.Seq, a.Seq
	}
	if l.IntN(2) == 0 {
		op.Cursor, op.Due = a.Seq, a.Seq
	}
	return op
}

func (l *load) user() string                { return l.users[l.IntN(len(l.users))] }
func (l *load) pick(names ...string) string { return names[l.IntN(len(names))] }
func (l *load) group() ws.ConversationID    { return l.groups[l.IntN(len(l.groups))] }

func (l *load) device() ws.DeviceRef {
	return ws.DeviceRef{User: l.user(), Device: l.pick("web", "phone", "~tab")}
}

// took notes a batch that was committed; plain is what it was before.
func (l *load) took(plain, ops []ws.Op) {
	l.batches = append(l.batches, plain)
	for _, op := range ops {
		if op.Result().Err != nil {
			continue
		}
		switch op := op.(type) {
		case *ws.Send:
			if !op.Duplicate {
				l.accepted = append(l.accepted, accepted{len(l.batches), op.Record, op.Members})
			}
		case *ws.AddEvents:
			for _, e := range op.Events {
				l.events = append(l.events, e.ID)
			}
		case *ws.CreateGroup:
			l.groups = append(l.groups, op.Conversation.ID)
		case *ws.Schedule:
			l.waiting = append(l.waiting, op.Scheduled.ID)
		}
	}
}

// plain copies ops as they are before a commit, which fills in the outcome.
func plain(ops []ws.Op) []ws.Op {
	copies := make([]ws.Op, len(ops))
	for i, op := range ops {
		v := reflect.New(reflect.TypeOf(op).Elem())
		v.Elem().Set(reflect.ValueOf(op).Elem())
		copies[i] = v.Interface().(ws.Op)
		if added, ok := copies[i].(*ws.AddEvents); ok {
			added.Events = slices.Clone(added.Events)
		}
	}
	return copies
}

// step commits one batch that has to hold.
func (l *load) step(tb testing.TB, s *Store) {
	ops := l.next()
	before := plain(ops)
	require.NoError(tb, s.Commit(context.Background(), ops))
	l.took(before, ops)
}

// lastBatch returns the number of the last batch that the store holds.
func lastBatch(tb testing.TB, s *Store) int {
	u, err := s.User(context.Background(), marker)
	if err != nil {
		require.ErrorIs(tb, err, ws.ErrNotFound)
		return 0
	}
	n, err := strconv.Atoi(u.Name)
	require.NoError(tb, err)
	return n
}

// holds checks that the messages accepted up to a batch are there.
func (l *load) holds(tb testing.TB, s *Store, batch int) {
	for _, a := range l.accepted {
		if a.batch > batch {
			return
		}
		got, err := s.Record(context.Background(), a.record.ID())
		if err != nil {
			c, _ := s.Conversation(context.Background(), a.record.Conversation)
			require.Less(tb, a.record.Seq, c.First, "message %s of batch %d: %v", a.record.ID(), a.batch, err)
			continue
		}
		if got.RecalledAt == 0 {
			require.Equal(tb, a.record, *got, "batch %d", a.batch)
		}
	}
}
