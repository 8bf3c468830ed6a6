//go:build services

package sqlstore

import (
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// lockRounds is how often two nodes do the same thing at the same time.
const lockRounds = 150

// together runs step for each round on two nodes at the same time; both begin each round together.
func together(t *testing.T, opt Options, prepare func(s *Store), step func(s *Store, node, round int)) {
	t.Helper()
	stores := []*Store{mustOpen(t, opt), mustOpen(t, opt)}
	prepare(stores[0])
	for round := range lockRounds {
		var wg sync.WaitGroup
		for node, s := range stores {
			wg.Go(func() { step(s, node, round) })
		}
		wg.Wait()
		require.False(t, t.Failed())
	}
	mustHold(t, opt)
}

// commits commits ops on a goroutine of the test's.
func commits(t *testing.T, s *Store, ops ...ws.Op) {
	t.Helper()
	if err := s.Commit(t.Context(), ops); err != nil {
		t.Errorf("a batch: %v", err)
	}
}

// What each lock guards, with two nodes that want it at the same time.
func TestStore_Locks(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		t.Run("user", func(t *testing.T) {
			var mu sync.Mutex
			epochs := map[uint64]bool{}
			together(t, fresh(t, driver, server), func(*Store) {}, func(s *Store, _, _ int) {
				op := &ws.OpenDevice{User: "bob", Device: "web", At: 1}
				commits(t, s, op)
				mu.Lock()
				defer mu.Unlock()
				if epochs[op.Epoch] {
					t.Errorf("the epoch %d was given twice", op.Epoch)
				}
				epochs[op.Epoch] = true
			})
			require.Len(t, epochs, 2*lockRounds)
		})
		t.Run("revocation", func(t *testing.T) {
			opt := fresh(t, driver, server)
			s := mustOpen(t, opt)
			together(t, opt, func(s *Store) { mustCommit(t, s, &ws.PutUser{OpenID: "bob", At: 1}) }, func(_ *Store, node, round int) {
				hash := [32]byte{byte(round), byte(round >> 8)}
				if node == 0 {
					commits(t, s, &ws.RevokeTokens{OpenID: "bob", At: 1})
					return
				}
				first := &ws.AcceptToken{Token: ws.Token{Hash: hash, OpenID: "bob"}, At: 1}
				commits(t, s, first)
				again := &ws.AcceptToken{Token: ws.Token{Hash: hash, OpenID: "bob"}, At: 1}
				commits(t, s, again)
				if again.Err == nil && again.Token.Epoch != first.Token.Epoch {
					t.Errorf("a token of epoch %d was accepted at epoch %d", first.Token.Epoch, again.Token.Epoch)
				}
			})
		})
		t.Run("cursor", func(t *testing.T) {
			var id ws.ConversationID
			together(t, fresh(t, driver, server), func(s *Store) {
				var ops []ws.Op
				for range 3 * lockRounds {
					ops = append(ops, &ws.Send{To: "bob", CreateUsers: true, Record: ws.Record{Sender: "alice", CreatedAt: 1}})
				}
				mustCommit(t, s, append(ops, &ws.OpenDevice{User: "bob", Device: "web", At: 1})...)
				id = ops[0].(*ws.Send).Record.Conversation
			}, func(s *Store, node, round int) {
				from := uint64(3*round + node + 1)
				commits(t, s, &ws.Ack{User: "bob", Device: "web", Conversation: id, From: from, To: from + 1, Cursor: from, Attempts: uint32(node)})
			})
		})
		t.Run("stay", func(t *testing.T) {
			group := &ws.CreateGroup{Key: "g", By: "alice", Users: []string{"bob"}, Record: ws.Record{CreatedAt: 1}}
			opt := fresh(t, driver, server)
			together(t, opt, func(s *Store) {
				mustCommit(t, s, &ws.PutUser{OpenID: "alice"}, &ws.PutUser{OpenID: "bob"}, group)
			}, func(s *Store, node, round int) {
				if node == 0 {
					kind := ws.KindLeft
					if round%2 == 1 {
						kind = ws.KindJoined
					}
					commits(t, s, &ws.Change{Conversation: group.Conversation.ID, Record: ws.Record{Kind: kind, Subject: "bob", CreatedAt: 1}})
					return
				}
				c, err := s.Conversation(t.Context(), group.Conversation.ID)
				if err != nil {
					t.Error(err)
				}
				commits(t, s, &ws.MarkRead{User: "bob", Conversation: c.ID, Seq: c.Last})
			})
			stays, err := mustOpen(t, opt).Stays(t.Context(), group.Conversation.ID, "bob")
			require.NoError(t, err)
			require.Len(t, stays, lockRounds/2+1)
		})
	})
}
