package wstest

import (
	"context"
	"hash/fnv"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// everything is a limit that nothing in the suite reaches.
const everything = 1 << 20

// subject is the store under test with the steps that rules are made of. A step that does not go as it should ends
// the test.
type subject struct {
	*testing.T
	ws.Store
	ctx context.Context
	now ws.Millis
}

func newSubject(t *testing.T, open func(t *testing.T) ws.Store) *subject {
	store := open(t)
	t.Cleanup(func() { _ = store.Close() })
	return &subject{T: t, Store: store, ctx: context.WithoutCancel(t.Context()), now: 1_700_000_000_000}
}

// tick moves the time on and returns it.
func (s *subject) tick() ws.Millis {
	s.now += 1000
	return s.now
}

// commit commits ops as one batch.
func (s *subject) commit(ops ...ws.Op) {
	s.Helper()
	require.NoError(s, s.Commit(s.ctx, ops))
}

// holds commits ops as one batch, of which none may be refused.
func (s *subject) holds(ops ...ws.Op) {
	s.Helper()
	s.commit(ops...)
	for i, op := range ops {
		require.NoError(s, op.Result().Err, "op %d, %T", i, op)
	}
}

// refuses commits op alone, which has to be refused with code.
func (s *subject) refuses(code protocol.Code, op ws.Op) {
	s.Helper()
	s.commit(op)
	s.refused(code, op)
}

// refused checks that a committed op was refused with code.
func (s *subject) refused(code protocol.Code, op ws.Op) {
	s.Helper()
	var coded *protocol.Error
	require.ErrorAs(s, op.Result().Err, &coded, "%T", op)
	require.Equal(s, code, coded.Code, "%T: %v", op, op.Result().Err)
}

// users makes users known.
func (s *subject) users(openIDs ...string) {
	s.Helper()
	for _, openID := range openIDs {
		s.holds(&ws.PutUser{OpenID: openID, Name: "name of " + openID, At: s.tick()})
	}
}

// open opens a device, without limits.
func (s *subject) open(user, device string) *ws.OpenDevice {
	s.Helper()
	at := s.tick()
	op := &ws.OpenDevice{User: user, Device: device, At: at, FirstEpoch: uint64(at)}
	s.holds(op)
	return op
}

// message is a send of a direct message.
func (s *subject) message(from, to, body string) *ws.Send {
	return &ws.Send{To: to, Hash: contentHash(body), Record: ws.Record{
		Kind: ws.KindMessage, Sender: from, SenderDevice: "web", Node: "node-1", Body: body,
		Trigger: protocol.TriggerWebSocket, CreatedAt: s.tick(),
	}}
}

// keyed is a message with a msgid.
func (s *subject) keyed(from, to, msgid, body string) *ws.Send {
	op := s.message(from, to, body)
	op.Record.MsgID = msgid
	return op
}

// post is a send to a group.
func (s *subject) post(from string, group ws.ConversationID, body string) *ws.Send {
	op := s.message(from, "", body)
	op.Group = group
	return op
}

// talk sends n messages and returns their conversation, which is found by who talks to whom.
func (s *subject) talk(from, to string, n int) ws.ConversationID {
	s.Helper()
	var id ws.ConversationID
	for i := range n {
		op := s.message(from, to, "message "+strconv.Itoa(i+1))
		s.holds(op)
		id = op.Record.Conversation
	}
	return id
}

// group makes a group of known users.
func (s *subject) group(key, by string, others ...string) ws.ConversationID {
	s.Helper()
	op := &ws.CreateGroup{Key: key, Name: "group " + key, By: by, Users: others, Record: ws.Record{
		Sender: by, Node: "node-1", CreatedAt: s.tick(),
	}}
	s.holds(op)
	return op.Conversation.ID
}

// changing is a change of a group.
func (s *subject) changing(group ws.ConversationID, kind ws.RecordKind, by, subject string) *ws.Change {
	return &ws.Change{Conversation: group, Record: ws.Record{
		Kind: kind, Sender: by, Subject: subject, Node: "node-1", CreatedAt: s.tick(),
	}}
}

// join and leave begin and end a stay and return the seq of the record that says so.
func (s *subject) join(group ws.ConversationID, user string) uint64 {
	s.Helper()
	return s.changed(s.changing(group, ws.KindJoined, user, user))
}

func (s *subject) leave(group ws.ConversationID, user string) uint64 {
	s.Helper()
	return s.changed(s.changing(group, ws.KindLeft, user, user))
}

func (s *subject) changed(op *ws.Change) uint64 {
	s.Helper()
	s.holds(op)
	require.False(s, op.Unchanged)
	return op.Record.Seq
}

// acking is an acknowledgement of the seqs from to to, with the cursor after it.
func (s *subject) acking(user, device string, id ws.ConversationID, from, to, cursor uint64) *ws.Ack {
	return &ws.Ack{
		User: user, Device: device, Conversation: id, From: from, To: to, Node: "node-1", At: s.now,
		Cursor: cursor, Due: min(to, cursor),
	}
}

// acked acknowledges the seqs from 1 to to.
func (s *subject) acked(user, device string, id ws.ConversationID, to uint64) {
	s.Helper()
	s.holds(s.acking(user, device, id, 1, to, to))
}

// position returns where a device stands in a conversation.
func (s *subject) position(user, device string, id ws.ConversationID) ws.Position {
	s.Helper()
	found, err := s.Positions(s.ctx, ws.DeviceRef{User: user, Device: device}, []ws.ConversationID{id})
	require.NoError(s, err)
	require.Len(s, found, 1, "positions of %s on %s", user, device)
	return found[0]
}

func (s *subject) cursor(user, device string, id ws.ConversationID) uint64 {
	s.Helper()
	return s.position(user, device, id).Cursor.Seq
}

// behind lists the conversations in which a device has something to get.
func (s *subject) behind(user, device string) []ws.ConversationID {
	s.Helper()
	found, err := s.Behind(s.ctx, ws.DeviceRef{User: user, Device: device}, 0, everything)
	require.NoError(s, err)
	ids := []ws.ConversationID{}
	for _, position := range found {
		ids = append(ids, position.Conversation.ID)
	}
	return ids
}

// conversation returns a conversation that is there.
func (s *subject) conversation(id ws.ConversationID) ws.Conversation {
	s.Helper()
	found, err := s.Conversation(s.ctx, id)
	require.NoError(s, err)
	return found
}

// record returns a record that is there.
func (s *subject) record(id ws.ConversationID, seq uint64) *ws.Record {
	s.Helper()
	found, err := s.Record(s.ctx, ws.MessageID{Conversation: id, Seq: seq})
	require.NoError(s, err)
	return found
}

// page reads all records of a conversation.
func (s *subject) page(id ws.ConversationID) []*ws.Record {
	s.Helper()
	found, err := s.Page(s.ctx, id, 1, 0, everything, everything)
	require.NoError(s, err)
	return found
}

// seqsOf lists the seqs of records.
func seqsOf(records []*ws.Record) []uint64 {
	seqs := []uint64{}
	for _, rec := range records {
		seqs = append(seqs, rec.Seq)
	}
	return seqs
}

// members lists the members of a conversation.
func (s *subject) members(id ws.ConversationID) []string {
	s.Helper()
	found, err := s.Members(s.ctx, id)
	require.NoError(s, err)
	openIDs := []string{}
	for _, stay := range found {
		openIDs = append(openIDs, stay.User)
	}
	return openIDs
}

// stays lists the stays of a user, of which there have to be n.
func (s *subject) stays(id ws.ConversationID, user string, n int) []ws.Stay {
	s.Helper()
	found, err := s.Stays(s.ctx, id, user)
	require.NoError(s, err)
	require.Len(s, found, n, "stays of %s", user)
	return found
}

// receipts lists the receipts of a device past seq.
func (s *subject) receipts(user, device string, id ws.ConversationID, seq uint64) []ws.Receipt {
	s.Helper()
	found, err := s.ReceiptsAfter(s.ctx, ws.DeviceRef{User: user, Device: device}, id, seq)
	require.NoError(s, err)
	return found
}

// known reports whether a user is known.
func (s *subject) known(openID string) bool {
	s.Helper()
	_, err := s.User(s.ctx, openID)
	if err != nil {
		require.ErrorIs(s, err, ws.ErrNotFound)
	}
	return err == nil
}

// events lists the outgoing events in a state.
func (s *subject) events(state ws.EventState) []ws.Event {
	s.Helper()
	found, err := s.Events(s.ctx, state, 0, everything)
	require.NoError(s, err)
	return found
}

func contentHash(body string) uint64 {
	h := fnv.New64a()
	_, _ = h.Write([]byte(body))
	return h.Sum64()
}

// knownTalk is talk with users who are made known first.
func (s *subject) knownTalk(from, to string, n int) ws.ConversationID {
	s.Helper()
	s.users(from, to)
	return s.talk(from, to, n)
}

// recalling is a recall by a sender, at any time.
func (s *subject) recalling(by string, id ws.ConversationID, seq uint64) *ws.Recall {
	return &ws.Recall{Seq: seq, By: by, Record: ws.Record{
		Conversation: id, SenderDevice: "web", RequestID: [16]byte{5}, Node: "node-1", CreatedAt: s.tick(),
	}}
}

// scheduling is a direct message due in a minute.
func (s *subject) scheduling(from, to, msgid, body string) *ws.Schedule {
	return &ws.Schedule{Hash: contentHash(body), Scheduled: ws.Scheduled{DueAt: s.tick() + 60_000, To: to, Draft: ws.Record{
		Kind: ws.KindMessage, Sender: from, MsgID: msgid, Node: "node-1", Body: body, Trigger: protocol.TriggerREST,
	}}}
}
