package wstest

import (
	"slices"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// seqRules: positions 1, 2, 3 … without holes, in the order of the commits.
var seqRules = []rule{
	{"countedPerConversation", func(s *subject) {
		s.users("bob", "carol")
		bob, carol := s.talk("alice", "bob", 3), s.talk("alice", "carol", 2)
		require.NotEqual(s, bob, carol)
		require.Equal(s, bob, s.talk("bob", "alice", 1))
		require.Equal(s, []uint64{1, 2, 3, 4}, seqsOf(s.page(bob)))
		require.Equal(s, []uint64{1, 2}, seqsOf(s.page(carol)))
		require.Equal(s, uint64(4), s.conversation(bob).Last)
	}},
	{"refusedTakesNone", func(s *subject) {
		s.users("bob")
		id := s.talk("alice", "bob", 1)
		s.holds(&ws.BanUser{OpenID: "alice", Banned: true})
		first, refused, last := s.message("bob", "alice", "1"), s.message("alice", "bob", "2"), s.message("bob", "alice", "3")
		s.commit(first, refused, last)
		require.Error(s, refused.Err)
		require.Equal(s, []uint64{1, 2, 3}, seqsOf(s.page(id)))
	}},
	{"concurrentCommits", concurrentSeqs},
	{"readWhileWritten", readWhileWritten},
}

const (
	seqWriters = 8
	seqCommits = 20
	seqTalks   = 5
)

// timed is a send with what the moments of its commit were, on a clock that all writers share.
type timed struct {
	*ws.Send
	began, ended int64
}

// concurrentSeqs lets writers commit batches over several conversations, two writers to each pair of users.
func concurrentSeqs(s *subject) {
	var clock atomic.Int64
	sent := make([][]timed, seqWriters)
	var wg sync.WaitGroup
	for w := range seqWriters {
		wg.Go(func() {
			for i := range seqCommits {
				ops := make([]ws.Op, 0, seqTalks)
				began := clock.Add(1)
				for talk := range seqTalks {
					from, to := "user-"+strconv.Itoa(talk), "friend-"+strconv.Itoa(talk)
					if w%2 == 1 {
						from, to = to, from
					}
					op := &ws.Send{To: to, CreateUsers: true, Record: ws.Record{
						Kind: ws.KindMessage, Sender: from, Body: strconv.Itoa(w*seqCommits + i), CreatedAt: 1000,
					}}
					ops = append(ops, op)
					sent[w] = append(sent[w], timed{Send: op, began: began})
				}
				if err := s.Commit(s.ctx, ops); err != nil {
					s.Errorf("commit: %v", err)
					return
				}
				ended := clock.Add(1)
				for j := len(sent[w]) - seqTalks; j < len(sent[w]); j++ {
					sent[w][j].ended = ended
				}
			}
		})
	}
	wg.Wait()
	require.False(s, s.Failed())
	byConversation := map[ws.ConversationID][]timed{}
	for _, op := range slices.Concat(sent...) {
		require.NoError(s, op.Err)
		id := op.Record.Conversation
		byConversation[id] = append(byConversation[id], op)
	}
	require.Len(s, byConversation, seqTalks)
	for id, ops := range byConversation {
		s.inOrder(id, ops)
	}
}

// inOrder checks that the sends of one conversation have the seqs 1 to n, that each record is the one its sender was
// told, and that a commit that began after another one ended has the higher seq.
func (s *subject) inOrder(id ws.ConversationID, ops []timed) {
	slices.SortFunc(ops, func(a, b timed) int { return int(a.Record.Seq) - int(b.Record.Seq) })
	records := s.page(id)
	require.Len(s, records, len(ops))
	latestBegin := int64(0)
	for i, op := range ops {
		require.Equal(s, uint64(i+1), op.Record.Seq)
		require.Equal(s, op.Record, *records[i])
		require.Greater(s, op.ended, latestBegin, "seq %d was committed before a lower one began", op.Record.Seq)
		latestBegin = max(latestBegin, op.began)
	}
}

// readWhileWritten: whoever reads meanwhile sees a prefix of whole batches, and never less than before.
func readWhileWritten(s *subject) {
	s.users("alice", "bob")
	id := s.talk("alice", "bob", 1)
	done := make(chan struct{})
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			seen := 0
			for running := true; running; {
				select {
				case <-done:
					running = false
				default:
				}
				records, err := s.Page(s.ctx, id, 1, 0, everything, everything)
				if err != nil || len(records) < seen {
					s.Errorf("after %d records came %d: %v", seen, len(records), err)
					return
				}
				if seen = len(records); seen%2 == 0 {
					s.Errorf("%d records were read: half of a batch", seen)
					return
				}
				for i, rec := range records {
					if rec.Seq != uint64(i+1) {
						s.Errorf("seq %d stands at position %d", rec.Seq, i+1)
						return
					}
				}
				if c, err := s.Conversation(s.ctx, id); err != nil || c.Last < uint64(seen) {
					s.Errorf("the head is %d after %d records were read: %v", c.Last, seen, err)
					return
				}
			}
		})
	}
	for i := range 100 {
		s.holds(s.message("alice", "bob", strconv.Itoa(i)), s.message("bob", "alice", strconv.Itoa(i)))
	}
	close(done)
	wg.Wait()
	require.Len(s, s.page(id), 201)
}
