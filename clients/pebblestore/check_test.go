package pebblestore

import (
	"context"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// checked makes the ledger that each case of TestCheck breaks: alice has sent bob three messages in conversation 2, the
// second of which she recalled (4), and has scheduled one; bob's device had all of them.
func checked(t *testing.T) *vfs.MemFS {
	fs := vfs.NewMem()
	s := mustOpen(t, fs)
	send := func(msgid string) ws.Op {
		return &ws.Send{
			To: "bob", CreateUsers: true, Record: ws.Record{Sender: "alice", SenderDevice: "web", MsgID: msgid, Body: "hello", CreatedAt: 5},
			Events: func(*ws.Send) []ws.Event { return []ws.Event{{Topic: "t"}} },
		}
	}
	ops := []ws.Op{
		&ws.OpenDevice{User: "bob", Device: "web", At: 1},
		&ws.OpenDevice{User: "bob", Device: "~tab", At: 1},
		&ws.AcceptToken{Token: ws.Token{OpenID: "bob"}, At: 1},
		send("m-1"), send("m-2"), send("m-3"),
		&ws.Recall{Seq: 2, By: "alice", Record: ws.Record{Conversation: 2, CreatedAt: 6}},
		&ws.Ack{User: "bob", Device: "web", Conversation: 2, From: 1, To: 2, Cursor: 2, Due: 2, At: 7},
		&ws.Ack{User: "bob", Device: "web", Conversation: 2, From: 3, To: 4, Cursor: 4, Due: 4, At: 7, Attempts: 1},
		&ws.Schedule{Scheduled: ws.Scheduled{DueAt: 9, To: "bob", Draft: ws.Record{Sender: "alice", MsgID: "later"}}},
		&ws.CreateGroup{Key: "g", By: "alice", Users: []string{"bob"}, Record: ws.Record{Sender: "alice", CreatedAt: 8}},
	}
	require.NoError(t, s.Commit(context.Background(), ops))
	for _, op := range ops {
		require.NoError(t, op.Result().Err)
	}
	require.NoError(t, s.Close())
	return fs
}

func TestCheck(t *testing.T) {
	t.Run("OK", func(t *testing.T) {
		sum := mustCheck(t, checked(t))
		require.Equal(t, ws.LedgerSummary{
			Info: ws.LedgerInfo{Format: format, Epoch: 1}, Users: 2, Devices: 2, Tokens: 1, Conversations: 3, Stays: 6, Records: 5, Dedups: 4,
			Cursors: 1, Receipts: 2, Scheduled: 1, Events: 3,
		}, sum)
	})
	t.Run("ErrForeign", func(t *testing.T) {
		_, err := Check(t.Context(), "ledger", vfs.NewMem(), func(string) {})
		require.ErrorIs(t, err, ErrForeign)
	})

	bob, web := "bob", ws.DeviceRef{User: "bob", Device: "web"}
	v := func(parts ...byte) []byte { return parts }
	record := func(r ws.Record, recall uint64) []byte { return encodeRecord(nil, &r, recall) }
	stays := func(list ...ws.Stay) []byte { return encodeStays(nil, list) }
	receipt := func(from, to uint64) []byte { return encodeReceipt(nil, &ws.Receipt{From: from, To: to}) }
	message := ws.Record{Kind: ws.KindMessage, Sender: "alice", SenderDevice: "web", MsgID: "m-3", CreatedAt: 5}
	conversation := func(c ws.Conversation) []byte { return encodeConversation(nil, &c) }
	direct := ws.Conversation{Kind: ws.Direct, Key: "alice,bob", First: 1, Last: 4, UpdatedAt: 6}
	mutate := func(change func(c *ws.Conversation)) []byte {
		c := direct
		change(&c)
		return conversation(c)
	}
	for name, broken := range map[string]struct {
		key, value []byte // a nil value deletes
		want       string
	}{
		"hole":                  {recordKey(nil, 2, 3), nil, "record 4 is where 3 should be"},
		"beyond the last":       {recordKey(nil, 2, 5), record(message, 0), "its records end at 5, and its last is 4"},
		"no newest":             {recordKey(nil, 2, 4), nil, "its last record, 4, is missing"},
		"updated":               {conversationKey(nil, 2), mutate(func(c *ws.Conversation) { c.UpdatedAt = 99 }), "was updated at 99"},
		"first past last":       {conversationKey(nil, 2), mutate(func(c *ws.Conversation) { c.First = 6 }), "begins at 6 and ends at 4"},
		"not the pair":          {conversationKey(nil, 2), mutate(func(c *ws.Conversation) { c.Key = "bob,alice" }), "no sorted pair"},
		"records of nothing":    {recordKey(nil, 9, 1), record(message, 0), "which is not there"},
		"unknown kind":          {recordKey(nil, 2, 3), record(ws.Record{Kind: 77, Sender: "alice", MsgID: "m-3"}, 0), "no known kind"},
		"trailing bytes":        {deviceKey(nil, web), v(1, 1, 1, 1, 1), "does not decode"},
		"cut short":             {userKey(nil, bob), v(1, 9), "does not decode"},
		"no dedup":              {dedupKey(nil, 2, "alice", "m-1"), nil, "has no dedup key that leads to it"},
		"dedup elsewhere":       {dedupKey(nil, 2, "alice", "m-1"), encodeDedup(nil, dedup{state: dedupSent, n: 3}), "which is another's"},
		"dedup past the last":   {dedupKey(nil, 2, "alice", "x"), encodeDedup(nil, dedup{state: dedupSent, n: 9}), "past its last"},
		"dedup of no scheduled": {dedupKey(nil, 2, "alice", "x"), encodeDedup(nil, dedup{state: dedupScheduled, n: 1}), "which is another or none"},
		"dedup of nothing":      {dedupKey(nil, 9, "alice", "x"), encodeDedup(nil, dedup{state: dedupCancelled}), "which is not there"},
		"recalled with body":    {recordKey(nil, 2, 2), record(ws.Record{Kind: ws.KindMessage, Sender: "alice", MsgID: "m-2", Body: "hello", RecalledAt: 6}, 4), "still has its body"},
		"recalled by no recall": {recordKey(nil, 2, 2), record(ws.Record{Kind: ws.KindMessage, Sender: "alice", MsgID: "m-2", RecalledAt: 6}, 3), "which is no recall of it"},
		"recall of nothing":     {recordKey(nil, 2, 2), record(ws.Record{Kind: ws.KindMessage, Sender: "alice", MsgID: "m-2"}, 0), "which does not say so"},
		"no name":               {nameKey(nil, ws.Direct, "alice,bob"), nil, "is not found by its key"},
		"a second name":         {nameKey(nil, ws.Direct, "alice,carol"), appendID(nil, 2), "which is another or none"},
		"id not given":          {conversationKey(nil, 99), conversation(ws.Conversation{Kind: ws.Group, Key: "x", First: 1}), "was never given out"},
		"stays out of order":    {staysKey(nil, bob, 2), stays(ws.Stay{Joined: 3, Left: 4}, ws.Stay{Joined: 2}), "are not in order"},
		"read past the last":    {staysKey(nil, bob, 2), stays(ws.Stay{Joined: 1, Read: 9}), "are not in order"},
		"left":                  {staysKey(nil, bob, 2), stays(ws.Stay{Joined: 1, Left: 4}), "do not agree with the stays"},
		"no member index":       {memberKey(nil, 2, bob), nil, "do not agree with the stays"},
		"member without stay":   {memberKey(nil, 2, "carol"), v(1), "without a stay"},
		"stay nowhere":          {staysKey(nil, bob, 9), stays(ws.Stay{Joined: 1}), "which is not there"},
		"not in system":         {staysKey(nil, bob, 1), nil, "no stay in the system conversation"},
		"no user":               {userKey(nil, bob), nil, "who is no user"},
		"no device":             {deviceKey(nil, web), nil, "which is not there"},
		"not among ephemeral":   {ephemeralKey(nil, ws.DeviceRef{User: bob, Device: "~tab"}), nil, "among the ephemeral ones is wrong"},
		"ephemeral of nothing":  {ephemeralKey(nil, ws.DeviceRef{User: bob, Device: "~x"}), []byte{}, "is not there"},
		"token ahead":           {tokenKey(nil, [32]byte{}), encodeToken(nil, &ws.Token{OpenID: bob, Epoch: 4}), "has epoch 4, the user 0"},
		"cursor past the last":  {cursorKey(nil, web, 2), encodeCursor(nil, ws.Cursor{Seq: 9}), "past the last"},
		"due past the cursor":   {cursorKey(nil, web, 2), encodeCursor(nil, ws.Cursor{Seq: 2, Due: 3}), "past its cursor"},
		"cursor without stay":   {cursorKey(nil, web, 9), encodeCursor(nil, ws.Cursor{}), "without a stay"},
		"receipts overlap":      {receiptKey(nil, 2, web, 1), receipt(1, 3), "overlap"},
		"receipt past the last": {receiptKey(nil, 2, web, 3), receipt(3, 9), "lies outside conversation"},
		"receipt without stay":  {receiptKey(nil, 2, ws.DeviceRef{User: "carol", Device: "web"}, 1), receipt(1, 1), "outside the user's stays"},
		"receipt for one's own": {receiptKey(nil, 2, ws.DeviceRef{User: "alice", Device: "web"}, 1), receipt(1, 1), "for its own message"},
		"scheduled not found":   {dueKey(nil, 1), nil, "is not found by its id"},
		"scheduled not there":   {scheduledKey(nil, 9, 1), nil, "is named, and not there"},
		"event not given":       {eventKey(nil, ws.EventPending, 99), encodeEvent(nil, &ws.Event{}), "event 99 was never given out"},
		"event stored twice":    {eventKey(nil, ws.EventDead, 1), encodeEvent(nil, &ws.Event{}), "stored twice"},
		"lease":                 {leaseKey(nil, "relay"), v(9), "a lease does not decode"},
		"counters":              {v(kindCounters), nil, "the counters are missing"},
		"no secret":             {v(kindSecret), nil, "the secret is missing"},
		"short secret":          {v(kindSecret), make([]byte, 31), "the secret has another length than 32 bytes"},
		"long secret":           {v(kindSecret), make([]byte, 33), "the secret has another length than 32 bytes"},
		"stranger":              {[]byte("Zz"), []byte{}, "a key of an unknown kind"},
	} {
		t.Run(name, func(t *testing.T) {
			fs := checked(t)
			raw(t, fs, func(db *pebble.DB) {
				if broken.value == nil {
					require.NoError(t, db.Delete(broken.key, pebble.Sync))
				} else {
					require.NoError(t, db.Set(broken.key, broken.value, pebble.Sync))
				}
			})
			var lines []string
			sum, err := Check(t.Context(), "ledger", fs, func(line string) { lines = append(lines, line) })
			require.NoError(t, err)
			require.Positive(t, sum.Broken)
			require.Len(t, lines, sum.Broken)
			require.Contains(t, strings.Join(lines, "\n"), broken.want)
		})
	}
}
