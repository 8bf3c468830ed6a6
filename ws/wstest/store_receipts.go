package wstest

import (
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// receiptRules: one receipt for a run of seqs acknowledged together with equal attempts.
var receiptRules = []rule{
	{"touchingRunsBecomeOne", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 6)
		s.holds(s.run(id, 1, 2, 0), s.run(id, 3, 3, 0), s.run(id, 4, 6, 0))
		require.Equal(s, [][2]uint64{{1, 6}}, s.runs(id, 0))
	}},
	{"whateverTheOrder", func(s *subject) {
		s.open("bob", "phone")
		s.open("bob", "web")
		id := s.talk("alice", "bob", 4)
		s.holds(s.run(id, 4, 4, 0), s.acking("bob", "web", id, 2, 2, 0), s.run(id, 1, 1, 0), s.run(id, 2, 3, 0))
		require.Equal(s, [][2]uint64{{1, 4}}, s.runs(id, 0))
		require.Len(s, s.receipts("bob", "web", id, 0), 1)
	}},
	{"otherAttempts", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 3)
		s.holds(s.run(id, 1, 1, 0), s.run(id, 2, 2, 1), s.run(id, 3, 3, 1))
		require.Equal(s, [][2]uint64{{1, 1}, {2, 3}}, s.runs(id, 0))
		require.Equal(s, uint32(1), s.receipts("bob", "phone", id, 1)[0].Attempts)
	}},
	{"otherNode", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 2)
		elsewhere := s.run(id, 2, 2, 0)
		elsewhere.Node = "node-2"
		s.holds(s.run(id, 1, 1, 0), elsewhere)
		require.Equal(s, [][2]uint64{{1, 1}, {2, 2}}, s.runs(id, 0))
	}},
	{"notTouching", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 4)
		s.holds(s.run(id, 1, 1, 0), s.run(id, 3, 4, 0))
		require.Equal(s, [][2]uint64{{1, 1}, {3, 4}}, s.runs(id, 0))
	}},
	{"sameRunKeepsItsTime", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 3)
		first := s.run(id, 2, 2, 0)
		s.holds(first)
		s.tick()
		s.holds(s.run(id, 2, 2, 4))
		found := s.receipts("bob", "phone", id, 0)
		require.Len(s, found, 1)
		require.Equal(s, first.At, found[0].At)
	}},
	{"longerRunKeepsItsTime", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 3)
		first := s.run(id, 1, 1, 0)
		s.holds(first)
		s.tick()
		s.holds(s.run(id, 1, 3, 0))
		found := s.receipts("bob", "phone", id, 0)
		require.NotEmpty(s, found)
		require.Equal(s, first.At, found[0].At)
		require.Len(s, s.proofs(id, 3), 1, "the longer run counts as well")
		s.tick()
		s.holds(s.run(id, 1, 2, 0))
		require.Len(s, s.proofs(id, 3), 1, "a shorter one takes nothing away")
	}},
	{"mergedRunThatIsThereInPart", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 3)
		s.holds(s.run(id, 1, 1, 0))
		s.tick()
		s.holds(s.run(id, 1, 1, 0), s.run(id, 2, 2, 0))
		require.NotEmpty(s, s.proofs(id, 1))
		require.NotEmpty(s, s.proofs(id, 2))
	}},
	{"after", func(s *subject) {
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 9)
		s.holds(s.run(id, 2, 3, 0), s.run(id, 8, 8, 0), s.run(id, 5, 6, 0))
		require.Equal(s, [][2]uint64{{2, 3}, {5, 6}, {8, 8}}, s.runs(id, 0))
		require.Equal(s, [][2]uint64{{2, 3}, {5, 6}, {8, 8}}, s.runs(id, 2), "those that end past it")
		require.Equal(s, [][2]uint64{{5, 6}, {8, 8}}, s.runs(id, 3))
		require.Empty(s, s.runs(id, 8))
		require.Empty(s, s.receipts("bob", "other", id, 0))
	}},
	{"of", func(s *subject) {
		for _, device := range []ws.DeviceRef{{User: "bob", Device: "web"}, {User: "bob", Device: "phone"}, {User: "carol", Device: "web"}} {
			s.open(device.User, device.Device)
		}
		s.users("alice")
		id := s.group("g", "alice", "bob", "carol")
		s.holds(s.post("alice", id, "2"), s.post("alice", id, "3"))
		s.holds(
			s.acking("carol", "web", id, 2, 3, 3), s.acking("bob", "web", id, 1, 2, 2), s.acking("bob", "phone", id, 2, 2, 2),
		)
		refs := []ws.DeviceRef{}
		for _, receipt := range s.proofs(id, 2) {
			refs = append(refs, ws.DeviceRef{User: receipt.User, Device: receipt.Device})
		}
		require.Equal(s, []ws.DeviceRef{
			{User: "bob", Device: "phone"}, {User: "bob", Device: "web"}, {User: "carol", Device: "web"},
		}, refs)
		require.Len(s, s.proofs(id, 3), 1)
		require.Len(s, s.proofs(id, 1), 1)
	}},
	{"longRunFound", func(s *subject) {
		// The receipt that covers a seq may begin far below it, with others between.
		s.open("bob", "phone")
		id := s.talk("alice", "bob", 30)
		s.holds(s.run(id, 1, 30, 0))
		for seq := uint64(2); seq <= 20; seq++ {
			s.holds(s.run(id, seq, seq, 1))
		}
		require.NotEmpty(s, s.proofs(id, 29))
		require.Equal(s, [][2]uint64{{1, 30}}, s.runs(id, 20))
	}},
}

// run is an acknowledgement by bob's phone that moves no cursor.
func (s *subject) run(id ws.ConversationID, from, to uint64, attempts uint32) *ws.Ack {
	op := s.acking("bob", "phone", id, from, to, 0)
	op.Attempts = attempts
	return op
}

// runs lists what bob's phone acknowledged past seq.
func (s *subject) runs(id ws.ConversationID, seq uint64) [][2]uint64 {
	s.Helper()
	found := [][2]uint64{}
	for _, receipt := range s.receipts("bob", "phone", id, seq) {
		found = append(found, [2]uint64{receipt.From, receipt.To})
	}
	return found
}

// proofs lists the receipts that cover a seq.
func (s *subject) proofs(id ws.ConversationID, seq uint64) []ws.Receipt {
	s.Helper()
	found, err := s.ReceiptsOf(s.ctx, ws.MessageID{Conversation: id, Seq: seq})
	require.NoError(s, err)
	return found
}
