package wstest

import (
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// pageRules: records come in order, as many as fit.
var pageRules = []rule{
	{"fromAndTo", func(s *subject) {
		id := s.knownTalk("alice", "bob", 9)
		require.Equal(s, []uint64{3, 4, 5}, s.pageOf(id, 3, 5, everything, everything))
		require.Equal(s, []uint64{8, 9}, s.pageOf(id, 8, 0, everything, everything))
		require.Equal(s, []uint64{8, 9}, s.pageOf(id, 8, 20, everything, everything))
		require.Equal(s, []uint64{9}, s.pageOf(id, 9, 9, everything, everything))
		require.Empty(s, s.pageOf(id, 10, 0, everything, everything))
		require.Empty(s, s.pageOf(id, 5, 4, everything, everything))
	}},
	{"count", func(s *subject) {
		id := s.knownTalk("alice", "bob", 5)
		require.Equal(s, []uint64{2, 3}, s.pageOf(id, 2, 0, 2, everything))
		require.Equal(s, []uint64{2}, s.pageOf(id, 2, 2, 2, everything))
		require.Equal(s, []uint64{1}, s.pageOf(id, 1, 0, 1, everything))
	}},
	{"bytes", func(s *subject) {
		s.users("alice", "bob")
		var id ws.ConversationID
		for _, size := range []int{10, 20, 30, 5} {
			op := s.message("alice", "bob", strings.Repeat("x", size))
			s.holds(op)
			id = op.Record.Conversation
		}
		require.Equal(s, []uint64{1, 2}, s.pageOf(id, 1, 0, everything, 30), "exactly as many as fit")
		require.Equal(s, []uint64{1}, s.pageOf(id, 1, 0, everything, 29))
		require.Equal(s, []uint64{1, 2}, s.pageOf(id, 1, 0, everything, 35), "none is left out to fit a later one")
		require.Equal(s, []uint64{1, 2, 3, 4}, s.pageOf(id, 1, 0, everything, 65))
	}},
	{"atLeastOne", func(s *subject) {
		s.users("alice", "bob")
		large := s.message("alice", "bob", strings.Repeat("x", 100_000))
		s.holds(large, s.message("alice", "bob", "2"))
		require.Equal(s, []uint64{1}, s.pageOf(large.Record.Conversation, 1, 0, everything, 10))
	}},
	{"ofOneConversation", func(s *subject) {
		first, second := s.knownTalk("alice", "bob", 2), s.knownTalk("alice", "carol", 2)
		for _, id := range []ws.ConversationID{first, second} {
			for _, rec := range s.page(id) {
				require.Equal(s, id, rec.Conversation)
			}
			require.Len(s, s.page(id), 2)
		}
	}},
	{"manySeqs", func(s *subject) {
		// Keys that sort as text, or by one byte, fail beyond 9, 99 and 255.
		id := s.knownTalk("alice", "bob", 1)
		for range 30 {
			ops := make([]ws.Op, 0, 10)
			for range 10 {
				ops = append(ops, s.message("alice", "bob", "x"))
			}
			s.holds(ops...)
		}
		seqs := s.pageOf(id, 1, 0, everything, everything)
		require.Len(s, seqs, 301)
		require.IsIncreasing(s, seqs)
		require.Equal(s, uint64(301), s.conversation(id).Last)
		require.Equal(s, []uint64{254, 255, 256, 257}, s.pageOf(id, 254, 257, everything, everything))
	}},
}

// pageOf lists the seqs of a page.
func (s *subject) pageOf(id ws.ConversationID, from, to uint64, maxCount, maxBytes int) []uint64 {
	s.Helper()
	found, err := s.Page(s.ctx, id, from, to, maxCount, maxBytes)
	require.NoError(s, err)
	return seqsOf(found)
}

// purgeRules: a purge takes a prefix away and nothing else.
var purgeRules = []rule{
	{"prefix", func(s *subject) {
		id := s.knownTalk("alice", "bob", 5)
		s.holds(&ws.Purge{Conversation: id, First: 3})
		c := s.conversation(id)
		require.Equal(s, []uint64{3, 5}, []uint64{c.First, c.Last})
		require.Equal(s, []uint64{3, 4, 5}, seqsOf(s.page(id)))
		_, err := s.Record(s.ctx, ws.MessageID{Conversation: id, Seq: 2})
		require.ErrorIs(s, err, ws.ErrNotFound)
		require.Equal(s, "message 3", s.record(id, 3).Body)
		s.holds(&ws.Purge{Conversation: id, First: 2})
		require.Equal(s, uint64(3), s.conversation(id).First, "it only rises")
	}},
	{"everything", func(s *subject) {
		id := s.knownTalk("alice", "bob", 3)
		s.holds(&ws.Purge{Conversation: id, First: 99})
		c := s.conversation(id)
		require.Equal(s, []uint64{4, 3}, []uint64{c.First, c.Last})
		require.Empty(s, s.page(id))
		s.talk("bob", "alice", 1)
		require.Equal(s, []uint64{4}, seqsOf(s.page(id)), "a seq is never given twice")
	}},
	{"othersUntouched", func(s *subject) {
		id, other := s.knownTalk("alice", "bob", 3), s.knownTalk("alice", "carol", 3)
		s.holds(&ws.Purge{Conversation: id, First: 4})
		require.Len(s, s.page(other), 3)
	}},
	{"readersGoOn", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 5)
		s.acked("bob", "phone", id, 1)
		s.holds(&ws.Purge{Conversation: id, First: 4})
		position := s.position("bob", "phone", id)
		require.Equal(s, uint64(1), position.Cursor.Seq, "no cursor is rewritten")
		require.Equal(s, uint64(4), position.Conversation.First)
		require.Equal(s, []ws.ConversationID{id}, s.behind("bob", "phone"))
		require.Equal(s, []uint64{4, 5}, s.pageOf(id, position.Cursor.Seq+1, 0, everything, everything))
		s.holds(s.acking("bob", "phone", id, 4, 5, 5))
		require.Equal(s, uint64(5), s.cursor("bob", "phone", id))
	}},
	{"nothingLeftToGet", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 5)
		s.holds(&ws.Purge{Conversation: id, First: 6})
		require.Empty(s, s.behind("bob", "phone"))
	}},
	{"dedupStays", func(s *subject) {
		s.users("bob")
		first := s.keyed("alice", "bob", "m-1", "hello")
		s.holds(first)
		s.holds(&ws.Purge{Conversation: first.Record.Conversation, First: 2})
		again := s.keyed("alice", "bob", "m-1", "hello")
		s.holds(again)
		require.True(s, again.Duplicate)
		require.Equal(s, first.Record.ID(), again.Record.ID())
		require.Empty(s, s.page(first.Record.Conversation))
		seq, err := s.Dedup(s.ctx, first.Record.Conversation, "alice", "m-1")
		require.NoError(s, err)
		require.Equal(s, uint64(1), seq)
	}},
	{"receipts", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 6)
		s.holds(s.run(id, 1, 2, 0))
		s.holds(s.run(id, 3, 5, 0))
		s.holds(&ws.Purge{Conversation: id, First: 4})
		require.Equal(s, [][2]uint64{{3, 5}}, s.runs(id, 0), "those that end below it")
		require.Len(s, s.proofs(id, 4), 1)
		require.Empty(s, s.proofs(id, 2))
	}},
}
