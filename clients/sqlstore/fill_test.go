//go:build services

package sqlstore

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// filling is a ledger as years of use leave it. Eight of ten messages are in conversations of two people who write in turns,
// twenty in each; one of ten is in a long conversation of two, and one in a group with many members. Everybody has two
// devices and two tokens. What was sent last in some conversations nobody has had yet.
type filling struct {
	messages, users, directs, members int

	tb      testing.TB
	s       *Store
	tx      *transaction
	waiting map[*relation]*tuples
	written int
}

const (
	longConversation  = 2 // of user 0, who writes, and user far
	groupConversation = 3 // in which user 0 writes
	firstDirect       = 4
	inDirect          = 20
	filledAt          = 1_700_000_000_000 // when the first message was sent; one each 10 ms from then on
)

// fill writes a ledger with that many messages into an empty one.
func fill(tb testing.TB, opt Options, count int) *filling {
	tb.Helper()
	f := &filling{
		tb: tb, messages: count, users: max(count/50, 2000), directs: count * 8 / 10 / inDirect, members: min(max(count/500, 200), 500),
		waiting: map[*relation]*tuples{},
	}
	f.s = mustOpen(tb, opt)
	f.begin()
	f.people()
	f.conversation(longConversation, ws.Direct, ws.DirectKey(f.user(0), f.user(f.far())), []int{0, f.far()}, count/10, 1)
	group := make([]int, f.members)
	for i := range group {
		group[i] = i
	}
	f.conversation(groupConversation, ws.Group, "everybody", group, count/10, 1)
	for i := range f.directs {
		a, b := f.pair(i)
		f.conversation(firstDirect+ws.ConversationID(i), ws.Direct, ws.DirectKey(f.user(a), f.user(b)), []int{a, b}, inDirect, 2)
	}
	f.later()
	for r := range f.waiting {
		f.write(r)
	}
	require.NoError(tb, f.tx.exec(fmt.Sprintf("UPDATE yanlink_counters SET next_id = %d", firstDirect+f.directs+f.users)))
	require.NoError(tb, f.tx.Commit(f.tb.Context()))
	require.NoError(tb, f.s.Close())
	return f
}

func (f *filling) user(i int) string { return fmt.Sprintf("user-%032d", i) }

func (f *filling) far() int { return f.users / 2 }

// pair is who talks in the i-th conversation of two.
func (f *filling) pair(i int) (a, b int) {
	a = i % f.users
	return a, (a + 1 + i/f.users) % f.users
}

func (f *filling) msgid(seq uint64) string { return fmt.Sprintf("%036d", seq) }

func (f *filling) token(user, n int) [32]byte { return sha256.Sum256(fmt.Append(nil, user, n)) }

func (f *filling) begin() {
	tx, err := f.s.begin(f.tb.Context())
	require.NoError(f.tb, err)
	f.tx = tx
}

// add adds one row, made by into.
func (f *filling) add(r *relation, into func(rows *tuples)) {
	rows, ok := f.waiting[r]
	if !ok {
		rows = &tuples{}
		f.waiting[r] = rows
	}
	if into(rows); rows.len() == chunkRows {
		f.write(r)
	}
}

// write writes the rows that wait, and commits now and then.
func (f *filling) write(r *relation) {
	rows := f.waiting[r]
	require.NoError(f.tb, f.tx.put(r, rows, fail))
	f.written += rows.len()
	*rows = tuples{}
	if f.written > 50*chunkRows {
		require.NoError(f.tb, f.tx.Commit(f.tb.Context()))
		f.begin()
		f.written = 0
	}
}

func (f *filling) people() {
	f.add(writers, func(rows *tuples) { rows.add([]byte("of no node more."), int64(1), int64(filledAt)) })
	for i := range f.users {
		user := f.user(i)
		f.add(users, func(rows *tuples) {
			rows.addUser(&ws.User{OpenID: user, Name: "Somebody", FirstSeen: filledAt, LastSeen: filledAt}, 0)
		})
		f.add(members, func(rows *tuples) { rows.addStay(&ws.Stay{Conversation: ws.SystemConversation, User: user, Joined: 1}) })
		for _, device := range []string{"web", "~tab"} {
			f.add(devices, func(rows *tuples) {
				rows.addDevice(&ws.Device{User: user, Name: device, Epoch: 1, CreatedAt: filledAt, LastSeen: filledAt + ws.Millis(i)})
			})
		}
		for n := range 2 {
			f.add(tokens, func(rows *tuples) { rows.addToken(&ws.Token{Hash: f.token(i, n), OpenID: user, ExpiresAt: filledAt}) })
		}
	}
}

// conversation adds a conversation with count messages, which the first writers of its members write in turns.
func (f *filling) conversation(id ws.ConversationID, kind ws.ConversationKind, key string, who []int, count, writers int) {
	at := func(seq uint64) ws.Millis { return filledAt + ws.Millis(id)*10*inDirect + ws.Millis(seq) }
	last := uint64(count)
	f.add(conversations, func(rows *tuples) {
		rows.addConversation(&ws.Conversation{
			ID: id, Kind: kind, Key: key, First: 1, Last: last, MembersVersion: uint64(len(who)), CreatedAt: filledAt, UpdatedAt: at(last),
		})
	})
	for seq := uint64(1); seq <= last; seq++ {
		sender := f.user(who[int(seq)%writers])
		f.add(messages, func(rows *tuples) {
			rows.addRecord(&ws.Record{
				Conversation: id, Seq: seq, Kind: ws.KindMessage, Sender: sender, SenderDevice: "web", MsgID: f.msgid(seq), Node: "node-1",
				Body: strings.Repeat("A message of some words. ", 1+int(seq)%6), CreatedAt: at(seq),
			}, 0)
		})
		f.add(dedups, func(rows *tuples) {
			rows.addDedup(dedupRef{id, sender, f.msgid(seq)}, dedup{state: dedupSent, n: seq, hash: seq})
		})
	}
	for n, i := range who {
		f.member(id, i, last, func(seq uint64) bool { return int(seq)%writers == n })
	}
}

// member adds what is kept of a member who has had all but the last message of each tenth conversation, and acknowledged
// those that are not their own: in a long conversation ten at a time.
func (f *filling) member(id ws.ConversationID, i int, last uint64, own func(seq uint64) bool) {
	user, had := f.user(i), last
	if id%10 == 0 {
		had -= 2
	}
	run, covered, everything := uint64(1), uint64(0), id == groupConversation
	if last > inDirect {
		run = 10
	}
	if everything {
		run = last
	}
	for from := uint64(1); from <= had; from += run {
		if own(from) {
			continue
		}
		covered = min(from+run-1, had)
		f.add(receipts, func(rows *tuples) {
			rows.addReceipt(&ws.Receipt{Conversation: id, User: user, Device: "web", From: from, To: covered, Node: "node-1", At: filledAt})
		})
	}
	if covered > 0 {
		f.add(receivers, func(rows *tuples) { rows.add(int64(id), user, "web") })
	}
	f.add(members, func(rows *tuples) { rows.addStay(&ws.Stay{Conversation: id, User: user, Joined: 1, Read: had}) })
	f.add(cursors, func(rows *tuples) {
		rows.addCursor(ws.DeviceRef{User: user, Device: "web"}, &ws.Cursor{Conversation: id, Seq: had, Due: covered}, covered)
	})
}

// later adds messages that wait, and events: sent in vain, still to be sent, and not yet due.
func (f *filling) later() {
	for i := range f.users {
		f.add(scheduled, func(rows *tuples) {
			rows.addScheduled(&ws.Scheduled{
				ID: uint64(i + 1), DueAt: filledAt + ws.Millis(i), To: f.user(i), Draft: ws.Record{Sender: f.user((i + 1) % f.users), Body: "Later"},
			})
		})
		for _, state := range []ws.EventState{ws.EventDead, ws.EventPending, ws.EventScheduled} {
			f.add(freshEvents, func(rows *tuples) {
				rows.add("yan-message", f.user(i), []byte(`{"event":"message.stored"}`), int64(state), int64(1), int64(filledAt+i))
			})
		}
	}
}
