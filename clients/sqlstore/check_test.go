//go:build services

package sqlstore

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

// mustCheck returns what Check says of a ledger.
func mustCheck(tb testing.TB, opt Options) (ws.LedgerSummary, []string) {
	tb.Helper()
	var lines []string
	sum, err := Check(tb.Context(), opt, func(line string) { lines = append(lines, line) })
	require.NoError(tb, err)
	return sum, lines
}

// mustHold checks that every invariant holds.
func mustHold(tb testing.TB, opt Options) ws.LedgerSummary {
	tb.Helper()
	sum, lines := mustCheck(tb, opt)
	require.Empty(tb, lines)
	require.Zero(tb, sum.Broken)
	return sum
}

// mustCommit commits ops, of which none may be refused.
func mustCommit(tb testing.TB, s *Store, ops ...ws.Op) {
	tb.Helper()
	require.NoError(tb, s.Commit(tb.Context(), ops))
	for _, op := range ops {
		require.NoError(tb, op.Result().Err, "%T", op)
	}
}

// checked makes the ledger that each case of TestCheck breaks: alice has sent bob three messages in conversation 2, the
// second of which she recalled (4), and has scheduled one; bob's device had all of them. Conversation 3 is a group.
func checked(tb testing.TB, s *Store) {
	send := func(msgid string) ws.Op {
		return &ws.Send{
			To: "bob", CreateUsers: true, Record: ws.Record{Sender: "alice", SenderDevice: "web", MsgID: msgid, Body: "hello", CreatedAt: 5},
			Events: func(*ws.Send) []ws.Event {
				return []ws.Event{{Topic: "t"}, {State: ws.EventScheduled, NextAttemptAt: 99}}
			},
		}
	}
	mustCommit(tb, s, &ws.OpenDevice{User: "bob", Device: "web", At: 1}, &ws.OpenDevice{User: "bob", Device: "~tab", At: 1},
		&ws.AcceptToken{Token: ws.Token{OpenID: "bob"}, At: 1}, send("m-1"), send("m-2"), send("m-3"))
	mustCommit(tb, s,
		&ws.Recall{Seq: 2, By: "alice", Record: ws.Record{Conversation: 2, CreatedAt: 6}},
		&ws.Ack{User: "bob", Device: "web", Conversation: 2, From: 1, To: 2, Cursor: 2, Due: 2, At: 7},
		&ws.Ack{User: "bob", Device: "web", Conversation: 2, From: 3, To: 4, Cursor: 4, Due: 4, At: 7, Attempts: 1},
		&ws.Schedule{Scheduled: ws.Scheduled{DueAt: 9, To: "bob", Draft: ws.Record{Sender: "alice", MsgID: "later"}}},
		&ws.CreateGroup{Key: "g", By: "alice", Users: []string{"bob"}, Record: ws.Record{Sender: "alice", CreatedAt: 8}},
	)
}

func TestCheck(t *testing.T) {
	onEach(t, func(t *testing.T, driver string, server services.Instance) {
		opt := fresh(t, driver, server)
		s := mustOpen(t, opt)
		checked(t, s)
		t.Run("OK", func(t *testing.T) {
			require.Equal(t, ws.LedgerSummary{
				Info: ws.LedgerInfo{Format: format, Epoch: 1}, Users: 2, Devices: 2, Tokens: 1, Conversations: 3, Stays: 6, Records: 5, Dedups: 4,
				Cursors: 1, Receipts: 2, Scheduled: 1, Events: 6,
			}, mustHold(t, opt))
		})
		t.Run("ErrNotMigrated", func(t *testing.T) {
			_, err := Check(t.Context(), fresh(t, driver, server), func(string) {})
			require.ErrorIs(t, err, ErrNotMigrated)
		})
		for name, broken := range breaks {
			t.Run(name, func(t *testing.T) {
				opt := fresh(t, driver, server)
				s := mustOpen(t, opt)
				checked(t, s)
				_, err := s.db.ExecContext(t.Context(), broken.statement)
				require.NoError(t, err)
				sum, lines := mustCheck(t, opt)
				require.Positive(t, sum.Broken)
				require.Len(t, lines, sum.Broken)
				require.Contains(t, strings.Join(lines, "\n"), broken.want)
			})
		}
	})
}

// breaks are statements that each break one invariant of the ledger that checked makes.
var breaks = map[string]struct{ statement, want string }{
	"noSecret":          {"UPDATE yanlink_ledger SET secret = NULL", "the ledger's secret has another length than 32 bytes: none"},
	"shortSecret":       {"UPDATE yanlink_ledger SET secret = 'short'", "the ledger's secret has another length than 32 bytes: 5"},
	"userWithoutSystem": {"DELETE FROM yanlink_members WHERE conversation = 1 AND openid = 'bob'", `user "bob" has no stay`},
	"deviceOfNobody":    {"UPDATE yanlink_devices SET openid = 'carol' WHERE device = '~tab'", `device "~tab" of "carol" belongs to no user`},
	"tokenAhead":        {"UPDATE yanlink_tokens SET epoch = 4", `a token of "bob" has epoch 4, the user 0`},
	"tokenOfNobody":     {"UPDATE yanlink_tokens SET openid = 'carol'", `a token of "carol" has epoch 0, the user none`},
	"numberNotGiven":    {"UPDATE yanlink_counters SET next_id = 3 WHERE name = 'conversation'", "conversation 3 was never given out: the next is 3"},
	"firstPastLast":     {"UPDATE yanlink_conversations SET first_seq = 6 WHERE id = 2", "conversation 2 begins at 6 and ends at 4"},
	"keptNumberInUse":   {"UPDATE yanlink_conversations SET members_version = 0 WHERE id = 2", "conversation 2 is not there and has positions"},
	"updated":           {"UPDATE yanlink_conversations SET updated_at = 99 WHERE id = 2", "conversation 2 was updated at 99, and its last record, 4, is of 6"},
	"hole":              {"DELETE FROM yanlink_messages WHERE conversation = 2 AND seq = 3", "conversation 2 keeps 3 records from 1 to 4, where 1 to 4"},
	"beyondTheLast":     {"UPDATE yanlink_messages SET seq = 9 WHERE conversation = 2 AND seq = 4", "conversation 2 keeps 4 records from 1 to 9"},
	"strayRecords":      {"UPDATE yanlink_messages SET conversation = 9 WHERE conversation = 3", "records of conversation 9, which is not there"},
	"strayStay":         {"UPDATE yanlink_members SET conversation = 9 WHERE conversation = 3 AND openid = 'bob'", `"bob" stays in conversation 9`},
	"stayOfNobody":      {"UPDATE yanlink_members SET openid = 'carol' WHERE conversation = 3 AND openid = 'bob'", `"carol" stays in conversation 3 and`},
	"stayPastTheLast":   {"UPDATE yanlink_members SET read_seq = 7 WHERE conversation = 2 AND openid = 'bob'", "goes from 1 to 0, had to 0, read to 7, where the last is 4"},
	"staysOverlap": {
		"INSERT INTO yanlink_members (openid, conversation, joined_seq, left_seq, role, delivered_seq, read_seq) VALUES ('bob', 2, 3, 0, 0, 0, 0)",
		`the stays of "bob" in conversation 2 overlap at 3`,
	},
	"halfAPair":       {"DELETE FROM yanlink_members WHERE conversation = 2 AND openid = 'alice'", `conversation 2 is of "alice,bob"`},
	"kindOfRecord":    {"UPDATE yanlink_messages SET kind = 9 WHERE conversation = 2 AND seq = 1", "record 1 of conversation 2 is of kind 9"},
	"recallUndone":    {"UPDATE yanlink_messages SET recalled_at = 0 WHERE conversation = 2 AND seq = 2", "record 2 of conversation 2 was recalled at 0"},
	"recalledBody":    {"UPDATE yanlink_messages SET body = 'x', body_bytes = 1 WHERE conversation = 2 AND seq = 2", "by record 4, and has 1 bytes"},
	"recallOfAnother": {"UPDATE yanlink_messages SET target_seq = 1 WHERE conversation = 2 AND seq = 4", "record 4 of conversation 2 recalls 1"},
	"length":          {"UPDATE yanlink_messages SET body_bytes = 7 WHERE conversation = 2 AND seq = 1", "another length than 7"},
	"noDedup":         {"DELETE FROM yanlink_dedup WHERE msgid = 'm-1'", `message 1 of conversation 2, by "alice", has no dedup key`},
	"dedupElsewhere":  {"UPDATE yanlink_dedup SET number = 3 WHERE msgid = 'm-1'", `of "alice" in conversation 2 leads to record 3`},
	"dedupOfNothing":  {"DELETE FROM yanlink_scheduled", "leads to the scheduled message 1"},
	"cursorOfNobody":  {"DELETE FROM yanlink_devices WHERE device = 'web'", `a cursor of device "web" of "bob" in conversation 2 has no device`},
	"cursorPastLast":  {"UPDATE yanlink_cursors SET seq = 9", `is at 9, acknowledged to 4, where the last is 4`},
	"receiptPastLast": {"UPDATE yanlink_receipts SET to_seq = 9 WHERE from_seq = 3", "the receipt 3 to 9"},
	"receiptsOverlap": {"UPDATE yanlink_receipts SET to_seq = 3 WHERE from_seq = 1", "the receipt from 3 of device"},
	"outsideTheStay":  {"UPDATE yanlink_members SET left_seq = 3 WHERE conversation = 2 AND openid = 'bob'", "the receipt 3 to 4"},
	"ownMessage":      {"UPDATE yanlink_messages SET sender = 'bob' WHERE conversation = 2 AND seq = 1", "receipt for its own message 1"},
	"noReceiver":      {"DELETE FROM yanlink_receivers", `receipts of device "web" of "bob" in conversation 2 are not found`},
	"covered":         {"UPDATE yanlink_cursors SET covered_seq = 3", "says that receipts reach to 3, and one reaches to 4"},
	"scheduledNumber": {"UPDATE yanlink_counters SET next_id = 1 WHERE name = 'scheduled'", "scheduled message 1 was never given out"},
	"scheduledDedup":  {"DELETE FROM yanlink_dedup WHERE msgid = 'later'", `scheduled message 1 of "alice" has no dedup key`},
	"eventState":      {"UPDATE yanlink_outbox SET state = 2 WHERE id = 1", "event 1 is in the state 2"},
}
