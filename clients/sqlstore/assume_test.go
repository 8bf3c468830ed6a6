//go:build services

package sqlstore

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// assuming is a ledger with two nodes, of which one remembers alice, bob, what they write to each other and to a group, and how far
// bob's device has come.
type assuming struct {
	*testing.T
	opt        Options
	one, other *Store
	pair       ws.ConversationID
	group      ws.ConversationID
	at         ws.Millis
}

func assumes(t *testing.T, opt Options, one *Store) *assuming {
	a := &assuming{T: t, opt: opt, one: one, other: mustOpen(t, opt)}
	mustCommit(t, a.one, put("alice"), put("bob"), &ws.OpenDevice{User: "bob", Device: "web", At: 1})
	group := &ws.CreateGroup{Key: "g", By: "bob", Users: []string{"alice"}, Record: ws.Record{CreatedAt: 1}}
	mustCommit(t, a.one, group)
	a.group = group.Conversation.ID
	first := a.write("alice", "first")
	mustCommit(t, a.one, first)
	a.pair = first.Record.Conversation
	mustCommit(t, a.one, a.post("first"), a.ack(1))
	require.True(t, a.holds(a.write("alice", "second"), a.post("second"), a.ack(2)), "all of it is remembered")
	return a
}

// write is a message to bob.
func (a *assuming) write(sender, msgid string) *ws.Send {
	a.at++
	return &ws.Send{To: "bob", Hash: 1, Record: ws.Record{Sender: sender, MsgID: msgid, Body: msgid, CreatedAt: a.at}}
}

// post is a message of alice to the group.
func (a *assuming) post(msgid string) *ws.Send {
	a.at++
	return &ws.Send{Group: a.group, Hash: 1, Record: ws.Record{Sender: "alice", MsgID: msgid, Body: msgid, CreatedAt: a.at}}
}

// ack acknowledges one of alice's messages on bob's device.
func (a *assuming) ack(seq uint64) *ws.Ack {
	a.at++
	return &ws.Ack{User: "bob", Device: "web", Conversation: a.pair, From: seq, To: seq, Cursor: seq, Due: seq, Node: "one", At: a.at}
}

// holds commits a batch on one, and reports whether what it assumed was so.
func (a *assuming) holds(ops ...ws.Op) bool {
	a.Helper()
	held, assumed := a.commits(ops...)
	require.True(a, assumed, "it was read")
	return held
}

// reads commits a batch on one that it has to read.
func (a *assuming) reads(ops ...ws.Op) {
	a.Helper()
	_, assumed := a.commits(ops...)
	require.False(a, assumed, "it was not read")
}

func (a *assuming) commits(ops ...ws.Op) (held, assumed bool) {
	a.Helper()
	m := a.one.memory
	m.left, m.mistrust = 0, -1
	require.NoError(a, a.one.Commit(a.Context(), ops))
	return m.mistrust == 0, m.mistrust != -1
}

// Whoever asks something and goes before the answer says nothing of the server: what is remembered counts as before.
func TestStore_AskerWhoGoes(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		one := mustOpen(t, opt)
		a := assumes(t, opt, one)
		gone, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := one.Conversation(gone, a.pair)
		require.ErrorIs(t, err, ws.ErrUnavailable)
		require.True(t, a.holds(a.write("alice", "third")))
		require.NoError(t, one.Close())
		require.NoError(t, a.other.Close())
	})
}

// A batch of which one thing is not as its node remembers it is as if it had been read.
func TestStore_Assume(t *testing.T) {
	for name, test := range map[string]func(a *assuming){
		"sentMeanwhile": func(a *assuming) {
			mustCommit(a, a.other, a.write("alice", "elsewhere"))
			op := a.write("alice", "third")
			require.False(a, a.holds(op))
			require.NoError(a, op.Err)
			require.Equal(a, uint64(4), op.Record.Seq)
			a.reads(a.write("alice", "fourth")) // others write there too
			require.True(a, a.holds(a.write("alice", "fifth")), "nobody did meanwhile")
		},
		"answered": func(a *assuming) {
			// Two who write to each other on two nodes, each after having seen what the other wrote.
			mustCommit(a, a.other, a.write("alice", "third"))
			require.True(a, a.holds(a.ack(3)))
			require.True(a, a.holds(a.write("alice", "fourth")), "after what it has acknowledged")
		},
		"oneOfTwo": func(a *assuming) {
			mustCommit(a, a.other, a.write("alice", "elsewhere"))
			op, post := a.write("alice", "third"), a.post("third")
			require.False(a, a.holds(op, post))
			require.Equal(a, uint64(4), op.Record.Seq)
			require.Equal(a, uint64(4), post.Record.Seq)
		},
		"staleHeadFreshCursor": func(a *assuming) {
			mustCommit(a, a.one, a.post("third"), a.write("alice", "third"))
			mustCommit(a, a.other, a.post("elsewhere"))
			mustCommit(a, a.other, &ws.Purge{Conversation: a.group, First: 6})
			post := a.post("fourth")
			require.False(a, a.holds(post, a.ack(3)))
			require.Equal(a, uint64(6), post.Record.Seq)
		},
		"freshHeadStaleCursor": func(a *assuming) {
			mustCommit(a, a.one, a.write("alice", "third"))
			mustCommit(a, a.other, &ws.DropDevice{User: "bob", Device: "web", Epoch: 1})
			op, post := a.ack(3), a.post("third")
			require.False(a, a.holds(post, op))
			a.refused(op, protocol.NotFound)
			require.NoError(a, post.Err)
		},
		"cursorThatStays": func(a *assuming) {
			mustCommit(a, a.other, &ws.DropDevice{User: "bob", Device: "web", Epoch: 1})
			op := &ws.Ack{User: "bob", Device: "web", Conversation: a.pair, Cursor: 1}
			a.reads(a.post("third"), op)
			a.refused(op, protocol.NotFound)
		},
		"large": func(a *assuming) {
			// More than goes in one trip: what is compared in the first holds back what comes after it.
			mustCommit(a, a.other, a.post("elsewhere"))
			large := func() (ops []ws.Op) {
				for _, msgid := range []string{"a", "b", "c"} {
					op := a.post(msgid)
					op.Record.Body = strings.Repeat(msgid, chunkBytes/2)
					ops = append(ops, op)
				}
				return ops
			}
			ops := large()
			require.False(a, a.holds(ops...))
			require.Equal(a, uint64(7), ops[2].(*ws.Send).Record.Seq)
		},
		"sentAndPurgedMeanwhile": func(a *assuming) {
			mustCommit(a, a.other, a.write("alice", "3"), a.write("alice", "4"))
			mustCommit(a, a.other, &ws.Purge{Conversation: a.pair, First: 4})
			op := a.write("alice", "5")
			require.False(a, a.holds(op))
			require.Equal(a, uint64(5), op.Record.Seq)
		},
		"purgedMeanwhile": func(a *assuming) {
			mustCommit(a, a.other, &ws.Purge{Conversation: a.pair, First: 2})
			op := a.write("alice", "third")
			require.True(a, a.holds(op), "its head is where it was")
			c, err := a.other.Conversation(a.Context(), a.pair)
			require.NoError(a, err)
			require.Equal(a, uint64(2), c.First)
			require.Equal(a, uint64(3), c.Last)
		},
		"repeatedElsewhere": func(a *assuming) {
			first := a.write("alice", "third")
			mustCommit(a, a.other, first)
			again, next := a.write("alice", "third"), a.write("alice", "fourth")
			require.False(a, a.holds(again, next))
			require.True(a, again.Duplicate)
			require.Equal(a, first.Record.Seq, again.Record.Seq)
			require.Equal(a, uint64(4), next.Record.Seq)
		},
		"repeated": func(a *assuming) {
			again := a.write("alice", "second")
			require.False(a, a.holds(again))
			require.True(a, again.Duplicate)
		},
		"repeatedInOneBatch": func(a *assuming) {
			op, again := a.write("alice", "third"), a.write("alice", "third")
			require.True(a, a.holds(op, again))
			require.False(a, op.Duplicate)
			require.True(a, again.Duplicate)
			require.Equal(a, op.Record.Seq, again.Record.Seq)
		},
		"banned": func(a *assuming) {
			mustCommit(a, a.other, &ws.BanUser{OpenID: "alice", Banned: true})
			op := a.write("alice", "third")
			require.False(a, a.holds(op))
			a.refused(op, protocol.Forbidden)
			mustCommit(a, a.other, &ws.BanUser{OpenID: "alice"})
			mustCommit(a, a.one, a.write("alice", "fourth"))
		},
		"removedFromGroup": func(a *assuming) {
			leave := ws.Record{Kind: ws.KindLeft, Sender: "bob", Subject: "alice", CreatedAt: 1}
			mustCommit(a, a.other, &ws.Change{Conversation: a.group, Record: leave})
			op := a.post("third")
			require.False(a, a.holds(op))
			a.refused(op, protocol.NotMember)
		},
		"renamedGroup": func(a *assuming) {
			mustCommit(a, a.other, &ws.Change{Conversation: a.group, Record: ws.Record{Kind: ws.KindRenamed, Sender: "bob", Body: "New", CreatedAt: 1}})
			require.False(a, a.holds(a.post("third")))
			a.reads(a.post("fourth"))
			require.True(a, a.holds(a.post("fifth")))
			c, err := a.other.Conversation(a.Context(), a.group)
			require.NoError(a, err)
			require.Equal(a, "New", c.Name)
		},
		"deviceDropped": func(a *assuming) {
			mustCommit(a, a.one, a.write("alice", "third"))
			mustCommit(a, a.other, &ws.DropDevice{User: "bob", Device: "web", Epoch: 1})
			op := a.ack(3)
			require.False(a, a.holds(op))
			a.refused(op, protocol.NotFound)
		},
		"acknowledgedElsewhere": func(a *assuming) {
			mustCommit(a, a.one, a.write("alice", "third"), a.write("alice", "fourth"))
			elsewhere := a.ack(4)
			elsewhere.Node = "other"
			mustCommit(a, a.other, elsewhere)
			both := a.ack(4)
			both.From = 3
			require.False(a, a.holds(both))
			require.NoError(a, both.Err)
			list, err := a.other.ReceiptsAfter(a.Context(), ws.DeviceRef{User: "bob", Device: "web"}, a.pair, 2)
			require.NoError(a, err)
			require.Len(a, list, 2)
			require.Equal(a, "one", list[0].Node)
			require.Equal(a, "other", list[1].Node, "what was acknowledged first stays")
		},
		"acknowledgedOutOfOrderElsewhere": func(a *assuming) {
			mustCommit(a, a.one, a.write("alice", "third"), a.write("alice", "fourth"))
			mustCommit(a, a.other, &ws.Ack{User: "bob", Device: "web", Conversation: a.pair, From: 4, To: 4, Node: "other"})
			require.False(a, a.holds(a.ack(3)), "only what receipts cover has moved")
			list, err := a.other.ReceiptsAfter(a.Context(), ws.DeviceRef{User: "bob", Device: "web"}, a.pair, 2)
			require.NoError(a, err)
			require.Len(a, list, 2)
		},
		"sentElsewhereAcknowledgedHere": func(a *assuming) {
			mustCommit(a, a.other, a.write("alice", "third"))
			op := a.ack(3)
			require.True(a, a.holds(op), "it is there, wherever from")
			require.NoError(a, op.Err)
		},
		"pastTheEnd": func(a *assuming) {
			op := a.ack(3)
			require.False(a, a.holds(op))
			a.refused(op, protocol.BadField)
		},
		"pastTheEndInItsBatch": func(a *assuming) {
			op, sent := a.ack(3), a.write("alice", "third")
			a.reads(op, sent)
			a.refused(op, protocol.BadField)
			require.NoError(a, sent.Err)
		},
		"fencedAndUnanswered": func(a *assuming) {
			w := <-a.one.writers
			require.NoError(a, a.other.within(a.Context(), func(tx *transaction) error { return tx.fence() }))
			_, err := a.one.held(a.Context(), w)
			require.ErrorIs(a, err, errUnsettled, "it may have held before")
			a.one.writers <- w
		},
		"fenced": func(a *assuming) {
			require.NoError(a, a.other.within(a.Context(), func(tx *transaction) error { return tx.fence() }))
			op := a.write("alice", "third")
			require.False(a, a.holds(op))
			require.NoError(a, op.Err, "from a new place")
		},
		"writtenInItsName": func(a *assuming) {
			// As in a ledger that was put back to how it was before.
			_, err := a.other.db.ExecContext(a.Context(), "UPDATE yanlink_writers SET batch = batch - 1")
			require.NoError(a, err)
			require.False(a, a.holds(a.write("alice", "third")))
			require.True(a, a.holds(a.write("alice", "fourth")))
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEach(t, func(t *testing.T, driver string, server services.Instance) {
				for name, open := range map[string]func(opt Options) *Store{
					"inOneText": func(opt Options) *Store { return mustOpen(t, opt) },
					"stepwise": func(opt Options) *Store {
						db := sql.OpenDB(connectorOf(t, opt))
						t.Cleanup(func() { _ = db.Close() })
						return mustOpen(t, Options{Driver: driver, DB: db, MaxConns: 2})
					},
				} {
					t.Run(name, func(t *testing.T) {
						opt := onePlace(t, driver, server)
						a := assumes(t, opt, open(opt))
						test(a)
						require.NoError(t, a.one.Close())
						require.NoError(t, a.other.Close())
						mustHold(t, opt)
					})
				}
			})
		})
	}
}

func (a *assuming) refused(op ws.Op, code protocol.Code) {
	a.Helper()
	var refusal *protocol.Error
	require.ErrorAs(a, op.Result().Err, &refusal)
	require.Equal(a, code, refusal.Code)
}

// After assumptions that were wrong a store reads for a while, the longer the more there were one after the other.
func TestMemory_Mistrust(t *testing.T) {
	m := newMemory()
	read := func() (n int) {
		for !m.trusted() {
			n++
		}
		return n
	}
	require.Zero(t, read())
	for _, n := range []int{8, 16, 32, 64, 128, 256, 512, 512} {
		m.wrong()
		require.Equal(t, n, read())
	}
	m.right()
	m.wrong()
	require.Equal(t, 8, read())
}

// A commit that comes to the server after it was asked for does not hold any more: it may have been made again.
func TestStore_LateAssumption(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := onePlace(t, driver, server)
		a := assumes(t, opt, mustOpen(t, opt))
		op := a.write("alice", "late")
		p := newPlan([]ws.Op{op})
		require.NoError(t, a.one.resolve(t.Context(), p))
		p.messages([]ws.Op{op})
		v := a.one.assumed(p, []ws.Op{op})
		require.NotNil(t, v)

		w := <-a.one.writers
		w.batch++
		late := *w
		held, err := a.one.held(t.Context(), w)
		require.NoError(t, err)
		require.False(t, held)
		tx, err := a.one.begin(t.Context())
		require.NoError(t, err)
		require.NoError(t, tx.write(v, &late))
		require.True(t, a.one.dialect.differs(tx.Commit(t.Context())))
		a.one.writers <- w
		require.True(t, a.holds(a.write("alice", "third")), "from the same place")
	})
}
