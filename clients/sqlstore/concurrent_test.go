//go:build services

package sqlstore

import (
	"fmt"
	"hash/fnv"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

const (
	nodes           = 2
	nodeCommitters  = 3
	nodeBatches     = 50
	crowdUsers      = 6
	crowdMsgIDs     = 400 // few enough that several committers use the same
	crowdPurgeAhead = 20
)

// crowd commits random ops from one goroutine, which meet those of others in the same rows.
type crowd struct {
	*rand.Rand
	store *Store
	group ws.ConversationID
	now   ws.Millis
	sent  []*ws.Send
}

func (c *crowd) user() string { return "user-" + strconv.Itoa(c.IntN(crowdUsers)) }

func (c *crowd) device() string { return []string{"web", "phone", "~tab"}[c.IntN(3)] }

// talk is a conversation that is likely to be there.
func (c *crowd) talk() ws.ConversationID { return ws.ConversationID(1 + c.IntN(12)) }

func (c *crowd) send() *ws.Send {
	op := &ws.Send{CreateUsers: true, Record: ws.Record{Sender: c.user(), SenderDevice: "rest", Body: strconv.FormatUint(c.Uint64(), 36), CreatedAt: c.now}}
	switch c.IntN(4) {
	case 0:
		op.Group = c.group
	default:
		op.To = c.user()
	}
	if c.IntN(2) == 0 {
		op.Record.MsgID = "m-" + strconv.Itoa(c.IntN(crowdMsgIDs))
		op.Record.Body = op.Record.MsgID
	}
	op.Hash = hashOf(op.Record.Body)
	c.sent = append(c.sent, op)
	return op
}

func hashOf(body string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(body))
	return h.Sum64()
}

func (c *crowd) op() ws.Op {
	c.now++
	at := c.now
	switch n := c.IntN(100); {
	case n < 40:
		return c.send()
	case n < 70:
		// Of two people: whoever acknowledges vouches for the stays in a group.
		id := c.group + ws.ConversationID(1+c.IntN(10))
		from := 1 + c.Uint64N(30)
		to := from + c.Uint64N(4)
		return &ws.Ack{
			User: c.user(), Device: c.device(), Conversation: id, From: from, To: to, Cursor: to * c.Uint64N(2), Due: to, At: at,
			Node: "node", Attempts: uint32(c.IntN(2)),
		}
	case n < 78:
		return &ws.OpenDevice{User: c.user(), Device: c.device(), At: at, MaxDevices: 2, IdleSince: at}
	case n < 80:
		return &ws.DropDevice{User: c.user(), Device: c.device(), Epoch: c.Uint64N(5)}
	case n < 84:
		return &ws.SeenDevice{User: c.user(), Device: c.device(), At: at}
	case n < 87:
		kind := ws.KindJoined + ws.RecordKind(c.IntN(2))
		return &ws.Change{Conversation: c.group, Record: ws.Record{Kind: kind, Sender: "admin", Subject: c.user(), CreatedAt: at}}
	case n < 89:
		return &ws.MarkRead{User: c.user(), Conversation: c.talk(), Seq: c.Uint64N(20)}
	case n < 91:
		return &ws.Recall{Seq: 1 + c.Uint64N(20), By: "admin", Force: true, Record: ws.Record{Conversation: c.talk(), CreatedAt: at}}
	case n < 92:
		return &ws.Purge{Conversation: c.talk(), First: 1 + c.Uint64N(crowdPurgeAhead)}
	case n < 95:
		draft := ws.Record{Sender: c.user(), MsgID: "later-" + strconv.Itoa(c.IntN(20)), Body: "later"}
		return &ws.Schedule{Hash: 1, Scheduled: ws.Scheduled{DueAt: at, To: c.user(), Draft: draft}}
	case n < 97:
		return &ws.FireScheduled{ID: 1 + c.Uint64N(200), At: at, Node: "node"}
	case n < 98:
		return &ws.CancelScheduled{ID: 1 + c.Uint64N(200)}
	case n < 99:
		return &ws.AcceptToken{Token: ws.Token{Hash: [32]byte{byte(c.IntN(9))}, OpenID: "user-0"}, At: at}
	default:
		return &ws.RevokeTokens{OpenID: "user-0", At: at}
	}
}

func (c *crowd) run(tb testing.TB) {
	for range nodeBatches {
		ops := make([]ws.Op, 1+c.IntN(20))
		for i := range ops {
			ops[i] = c.op()
		}
		if err := c.store.Commit(tb.Context(), ops); err != nil {
			tb.Errorf("a batch of %d ops: %v", len(ops), err)
			return
		}
	}
}

// Several nodes commit at the same time, and their ops meet in the same conversations, users and devices.
func TestStore_Concurrent(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		opt.MaxConns = 2 * nodeCommitters
		var crowds []*crowd
		var wg sync.WaitGroup
		seed := rand.Uint64()
		t.Logf("the seed is %d", seed)
		group := &ws.CreateGroup{Key: "group", By: "user-0", Record: ws.Record{CreatedAt: 1}}
		for node := range nodes {
			s := mustOpen(t, opt)
			if node == 0 {
				for i := range crowdUsers - 2 { // the others become known meanwhile
					mustCommit(t, s, &ws.PutUser{OpenID: "user-" + strconv.Itoa(i), At: 1})
				}
				mustCommit(t, s, group)
			}
			for i := range nodeCommitters {
				c := &crowd{Rand: rand.New(rand.NewPCG(seed, uint64(node*nodeCommitters+i))), store: s, group: group.Conversation.ID, now: 1000}
				crowds = append(crowds, c)
			}
		}
		for _, c := range crowds {
			wg.Go(func() { c.run(t) })
		}
		wg.Wait()
		require.False(t, t.Failed())
		mustHold(t, opt)
		everySendIsThere(t, crowds)
	})
}

// everySendIsThere checks that each position was given once, that a msgid took effect once, and that what stands at a
// position is what its sender was told.
func everySendIsThere(t *testing.T, crowds []*crowd) {
	at := map[ws.MessageID]string{}
	keyed := map[string]ws.MessageID{}
	duplicates := 0
	for _, c := range crowds {
		for _, op := range c.sent {
			if op.Err != nil {
				continue
			}
			id := op.Record.ID()
			if key := fmt.Sprint(op.Record.Conversation, op.Record.Sender, op.Record.MsgID); op.Record.MsgID != "" {
				first, ok := keyed[key]
				require.True(t, !ok || first == id, "%s stands at %s and at %s", key, first, id)
				keyed[key] = id
			}
			if op.Duplicate {
				duplicates++
				continue
			}
			require.NotContains(t, at, id, "a position was given twice")
			at[id] = op.Record.Body
		}
	}
	require.Positive(t, duplicates)
	ids := slices.Collect(maps.Keys(at))
	require.NotEmpty(t, ids)
	for _, id := range ids {
		rec, err := crowds[0].store.Record(t.Context(), id)
		if err != nil {
			c, err := crowds[0].store.Conversation(t.Context(), id.Conversation)
			require.NoError(t, err)
			require.Less(t, id.Seq, c.First, "%s is gone and was not purged", id)
			continue
		}
		require.True(t, rec.Body == at[id] || rec.RecalledAt != 0, "%s has another body", id)
	}
}
