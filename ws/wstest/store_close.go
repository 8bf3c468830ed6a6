package wstest

import (
	"context"
	"errors"
	"strconv"
	"sync"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// closeRules: a closed ledger says so, and a commit is either whole or not there.
var closeRules = []rule{
	{"commits", func(s *subject) {
		s.users("bob")
		require.NoError(s, s.Close())
		require.ErrorIs(s, s.Commit(s.ctx, []ws.Op{s.message("alice", "bob", "hello")}), ws.ErrUnavailable)
	}},
	{"reads", func(s *subject) {
		id := s.knownTalk("alice", "bob", 1)
		require.NoError(s, s.Close())
		for name, read := range s.allReads(id) {
			require.ErrorIs(s, read(s.ctx), ws.ErrUnavailable, name)
		}
	}},
	{"underLoad", closeUnderLoad},
}

// allReads is every read of the contract.
func (s *subject) allReads(id ws.ConversationID) map[string]func(ctx context.Context) error {
	ref, message := ws.DeviceRef{User: "bob", Device: "web"}, ws.MessageID{Conversation: id, Seq: 1}
	return map[string]func(ctx context.Context) error{
		"User":             func(ctx context.Context) error { _, err := s.User(ctx, "bob"); return err },
		"Users":            func(ctx context.Context) error { _, err := s.Users(ctx, []string{"bob"}); return err },
		"Devices":          func(ctx context.Context) error { _, err := s.Devices(ctx, "bob"); return err },
		"IdleDevices":      func(ctx context.Context) error { _, err := s.IdleDevices(ctx, s.now, 1); return err },
		"Token":            func(ctx context.Context) error { _, _, err := s.Token(ctx, [32]byte{}); return err },
		"Tokens":           func(ctx context.Context) error { _, err := s.Tokens(ctx, [32]byte{}, 1); return err },
		"Conversation":     func(ctx context.Context) error { _, err := s.Conversation(ctx, id); return err },
		"Conversations":    func(ctx context.Context) error { _, err := s.Conversations(ctx, 0, 1); return err },
		"FindConversation": func(ctx context.Context) error { _, err := s.FindConversation(ctx, ws.Group, "g"); return err },
		"ConversationsOf":  func(ctx context.Context) error { _, err := s.ConversationsOf(ctx, "bob", 0, 1); return err },
		"Members":          func(ctx context.Context) error { _, err := s.Members(ctx, id); return err },
		"Stays":            func(ctx context.Context) error { _, err := s.Stays(ctx, id, "bob"); return err },
		"Updated":          func(ctx context.Context) error { _, err := s.Updated(ctx, 0); return err },
		"Positions":        func(ctx context.Context) error { _, err := s.Positions(ctx, ref, []ws.ConversationID{id}); return err },
		"Behind":           func(ctx context.Context) error { _, err := s.Behind(ctx, ref, 0, 1); return err },
		"Lagging":          func(ctx context.Context) error { _, err := s.Lagging(ctx, []ws.DeviceRef{ref}); return err },
		"Page":             func(ctx context.Context) error { _, err := s.Page(ctx, id, 1, 0, 1, 1); return err },
		"Record":           func(ctx context.Context) error { _, err := s.Record(ctx, message); return err },
		"Dedup":            func(ctx context.Context) error { _, err := s.Dedup(ctx, id, "alice", "m-1"); return err },
		"ReceiptsAfter":    func(ctx context.Context) error { _, err := s.ReceiptsAfter(ctx, ref, id, 0); return err },
		"ReceiptsOf":       func(ctx context.Context) error { _, err := s.ReceiptsOf(ctx, message); return err },
		"DueScheduled":     func(ctx context.Context) error { _, err := s.DueScheduled(ctx, s.now, 1); return err },
		"Events":           func(ctx context.Context) error { _, err := s.Events(ctx, ws.EventPending, 0, 1); return err },
	}
}

// closeUnderLoad closes the ledger while many write and read: everybody gets an answer, nil or unavailable.
func closeUnderLoad(s *subject) {
	id := s.knownTalk("alice", "bob", 1)
	var wg sync.WaitGroup
	started := make(chan struct{}, 4)
	for w := range 4 {
		ops := make([]*ws.Send, 200)
		for i := range ops {
			ops[i] = s.message("alice", "bob", strconv.Itoa(w))
		}
		wg.Go(func() {
			for i, op := range ops {
				if i == 3 {
					started <- struct{}{}
				}
				err := s.Commit(s.ctx, []ws.Op{op})
				_, readErr := s.Page(s.ctx, id, 1, 0, everything, everything)
				for _, err := range []error{err, readErr} {
					if err != nil && !errors.Is(err, ws.ErrUnavailable) {
						s.Errorf("after Close: %v", err)
					}
				}
				if err != nil {
					return
				}
			}
		})
	}
	for range 4 {
		<-started
	}
	require.NoError(s, s.Close())
	wg.Wait()
	require.ErrorIs(s, s.Commit(s.ctx, nil), ws.ErrUnavailable)
}
