//go:build services

package sqlstore

import (
	"database/sql"
	"flag"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/deploy/services"
	"github.com/yanlink/yanlink/ws"
)

var (
	planMessages = flag.Int("plan.messages", 20_000, "messages in the ledger whose plans are looked at")
	planTable    = flag.String("plan.table", "", "a file for the table of docs/sql.md")
)

// checkedMessages is up to how many the filled ledger is checked as a whole.
const checkedMessages = 50_000

// patient are settings with which a busy machine may take its time.
var patient = map[string]string{"mysql": "&wait_timeout=3600", "postgres": "&idle_in_transaction_session_timeout=0"}

// byIndex has PostgreSQL use an index wherever there is one: it reads a table of a few pages as a whole, rightly.
const byIndex = "&options=-c%20enable_seqscan%3Doff%20-c%20enable_hashjoin%3Doff%20-c%20enable_mergejoin%3Doff"

const (
	// mostRows is how many rows a statement may read of one table; each of those that grow has several times as many.
	mostRows = 600
	// mostPages is likewise: some for each row, and for what was taken back after it was explained.
	mostPages = 2000
	// fewPages is up to where PostgreSQL may find it cheaper to read a table as a whole than a hundred rows of it.
	fewPages = 500
)

// small are tables that do not grow with what is kept.
var small = []string{"yanlink_counters", "yanlink_ledger", "yanlink_leases", "yanlink_writers"}

// No statement of the store reads a table that grows from one end to the other, or more of it than it needs, wherever in
// the code it is asked.
func TestPlans(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	found := map[string][]explained{}
	t.Run("on", func(t *testing.T) {
		for _, server := range servers {
			t.Run(string(server.kind), func(t *testing.T) {
				t.Parallel()
				plans := plansOf(t, server.driver, server.kind)
				mu.Lock()
				defer mu.Unlock()
				found[server.driver] = plans
			})
		}
	})
	if *planTable != "" {
		require.NoError(t, os.WriteFile(*planTable, []byte(tableOf(found)), 0o600))
	}
}

func plansOf(t *testing.T, driver string, kind services.Kind) []explained {
	places := placesOf(t)                                      // before the code can change under a long run
	server := services.MustStart(t, services.Spec{Kind: kind}) // what a large ledger leaves on the disk goes with it
	opt := Options{Driver: driver, DSN: server.DSN(services.Database) + patient[driver], MaxConns: 4, StatementTimeout: time.Hour}
	if driver == "postgres" && *planMessages <= checkedMessages {
		opt.DSN += byIndex
	}
	f := fill(t, opt, *planMessages)
	if *planMessages <= checkedMessages {
		mustHold(t, opt)
	}
	e := &explaining{Connector: connectorOf(t, opt), explain: explainMySQL, places: places}
	analyze := "ANALYZE TABLE "
	if driver == "postgres" {
		e.explain, analyze = explainPostgres, "VACUUM ANALYZE " // as the server does by itself, sooner or later
	}
	db := sql.OpenDB(e)
	t.Cleanup(func() { _ = db.Close() })
	_, err := db.ExecContext(t.Context(), analyze+strings.Join(bigTables(), ", "))
	require.NoError(t, err)
	s := mustOpen(t, Options{Driver: driver, DB: db, MaxConns: 2, NoMigrate: true})
	e.on = true
	f.askEverything(t, s)
	e.on = false
	missing := slices.DeleteFunc(slices.Clone(e.places), func(p place) bool {
		return slices.ContainsFunc(e.found, func(x explained) bool { return x.place == p })
	})
	require.Empty(t, missing, "these places ask the database something, and the test does not know what: have it do what they are for")
	for _, x := range e.found {
		x.check(t)
	}
	return e.found
}

func bigTables() (list []string) {
	for _, r := range []*relation{
		users, devices, tokens, conversations, members, messages, dedups, cursors, receivers, receipts, scheduled, events,
	} {
		list = append(list, r.name)
	}
	return list
}

// check fails the test if the statement reads more than it needs.
func (x *explained) check(t *testing.T) {
	for _, a := range x.accesses {
		if slices.Contains(small, a.table) {
			continue
		}
		if a.index == "" && a.pages > 0 && a.pages < fewPages && *planMessages > checkedMessages {
			continue
		}
		if a.index == "" || a.rows > mostRows || a.pages > mostPages {
			t.Errorf("%s reads %d rows (%d pages) of %s by %q:\n%s", x.place, a.rows, a.pages, a.table, a.index, plainQuery(x.query))
		}
	}
}

// batch is how many things a commit, or a question for many, is about.
const batch = 50

// askEverything has the store ask all that it ever asks.
func (f *filling) askEverything(t *testing.T, s *Store) {
	f.read(t, s)
	f.commit(t, s)
	other := mustOpen(t, f.s.opt) // what it asks is not looked at
	require.NoError(t, other.within(t.Context(), func(tx *transaction) error {
		var row tuples
		row.add(shareLeases+"0", "killed 0", int64(1))
		return tx.put(leases, &row, fail)
	}))
	one := mustOpen(t, Options{Driver: s.dialect.name(), DB: s.db, MaxConns: 2, NoMigrate: true, Node: "node-1"})
	mustCommit(t, one, &ws.PutUser{OpenID: f.user(7), Name: "Somebody"})
	one.seat.(*share).renew(t.Context())
	require.NoError(t, one.Close())
	alone := mustOpen(t, Options{Driver: s.dialect.name(), DB: s.db, MaxConns: 2, NoMigrate: true, Node: "node-2", Sole: true})
	mustCommit(t, alone, &ws.PutUser{OpenID: f.user(7), Name: "Another"})
	alone.seat.(*sole).renew(t.Context())
	require.NoError(t, alone.Close())
}

func (f *filling) read(t *testing.T, s *Store) {
	ctx := t.Context()
	a, b := f.pair(0)
	device := ws.DeviceRef{User: f.user(b), Device: "web"}
	var lagging []ws.DeviceRef
	var openIDs []string
	for i := range batch {
		openIDs = append(openIDs, f.user(i*7))
		lagging = append(lagging, ws.DeviceRef{User: f.user(i * 7), Device: "web"})
	}
	key := ws.DirectKey(f.user(a), f.user(b))
	id := ws.ConversationID(firstDirect)
	middle := uint64(f.messages / 20)
	recently := ws.Millis(filledAt) + ws.Millis(f.directs-20)*10*inDirect
	for name, read := range []func() error{
		func() error { _, err := s.Time(ctx); return err },
		func() error { _, err := s.Users(ctx, openIDs); return err },
		func() error { _, err := s.Devices(ctx, device.User); return err },
		func() error { _, err := s.IdleDevices(ctx, filledAt+ws.Millis(f.users), 100); return err },
		func() error { _, _, err := s.Token(ctx, f.token(1, 1)); return err },
		func() error { _, err := s.Tokens(ctx, f.token(1, 1), 100); return err },
		func() error { _, err := s.Conversations(ctx, 1, 100); return err },
		func() error { _, err := s.Conversation(ctx, id); return err },
		func() error { _, err := s.FindConversation(ctx, ws.Direct, key); return err },
		func() error { _, err := s.ConversationsOf(ctx, device.User, 0, 100); return err },
		func() error { _, err := s.Members(ctx, groupConversation); return err },
		func() error { _, err := s.CountMembers(ctx, groupConversation); return err },
		func() error { _, err := s.Stays(ctx, ws.SystemConversation, device.User); return err },
		func() error { _, err := s.Updated(ctx, recently); return err },
		func() error { _, err := s.Positions(ctx, device, []ws.ConversationID{1, id, 3}); return err },
		func() error { _, err := s.Behind(ctx, device, 0, 100); return err },
		func() error { _, err := s.Lagging(ctx, lagging); return err },
		func() error { _, err := s.Page(ctx, longConversation, middle, 0, 100, 1<<20); return err },
		func() error {
			_, err := s.Record(ctx, ws.MessageID{Conversation: longConversation, Seq: middle})
			return err
		},
		func() error { _, err := s.Dedup(ctx, longConversation, f.user(0), f.msgid(middle)); return err },
		func() error {
			_, err := s.ReceiptsAfter(ctx, ws.DeviceRef{User: f.user(f.far()), Device: "web"}, longConversation, uint64(f.messages/10-100))
			return err
		},
		func() error {
			_, err := s.ReceiptsOf(ctx, ws.MessageID{Conversation: longConversation, Seq: middle})
			return err
		},
		func() error {
			_, err := s.ReceiptsOf(ctx, ws.MessageID{Conversation: groupConversation, Seq: middle})
			return err
		},
		func() error { _, err := s.DueScheduled(ctx, filledAt+ws.Millis(f.users), 100); return err },
		func() error { _, err := s.Events(ctx, ws.EventPending, uint64(f.users), 100); return err },
	} {
		require.NoError(t, read(), name)
	}
}

// commit makes batches of every kind of op.
func (f *filling) commit(t *testing.T, s *Store) {
	var sends, acks, connects, nextSends, nextAcks []ws.Op // the next ones are of what is remembered by then
	at := ws.Millis(filledAt) * 2
	for i := range batch {
		a, b := f.pair(i * 3)
		sends = append(sends, &ws.Send{To: f.user(b), Record: ws.Record{Sender: f.user(a), MsgID: f.msgid(1 << 40), Body: "New", CreatedAt: at}})
		id := ws.ConversationID(firstDirect + i*3)
		acks = append(acks,
			&ws.Ack{User: f.user(b), Device: "web", Conversation: id, From: 10, To: 12, Cursor: inDirect, Due: inDirect}, // partly known
			&ws.Ack{User: f.user(b), Device: "~tab", Conversation: id, From: 10, To: 12, Cursor: 12},                     // its first
			&ws.MarkRead{User: f.user(b), Conversation: id, Seq: inDirect + 1, At: at})
		nextSends = append(nextSends, &ws.Send{To: f.user(b), Record: ws.Record{Sender: f.user(a), MsgID: f.msgid(1<<40 + 1), Body: "Next", CreatedAt: at}})
		nextAcks = append(nextAcks, &ws.Ack{User: f.user(b), Device: "web", Conversation: id, From: inDirect + 1, To: inDirect + 1, Cursor: inDirect + 1})
		connects = append(connects, &ws.OpenDevice{
			User: f.user(i * 5), Device: "phone", At: at, Accept: &ws.AcceptToken{Token: ws.Token{Hash: f.token(i, 9), OpenID: f.user(i * 5)}, At: at},
		}, &ws.SeenDevice{User: f.user(i * 5), Device: "web", At: at})
	}
	mustCommit(t, s, sends...)
	mustCommit(t, s, acks...)
	mustCommit(t, s, nextSends...)
	s.memory.left = 0 // to explain comes between statements of which one asks about the other
	mustCommit(t, s, nextAcks...)
	mustCommit(t, s, connects...)
	mustCommit(t, s, &ws.DropDevice{User: f.user(1), Device: "~tab", Epoch: 1}, &ws.BanUser{OpenID: f.user(9), Banned: true},
		&ws.RevokeTokens{OpenID: f.user(8), At: at}, &ws.PutUser{OpenID: f.user(7), Name: "Other"},
		&ws.DropToken{Hash: f.token(6, 0), OpenID: f.user(6), Before: at})
	stranger := &ws.Send{To: "stranger", CreateUsers: true, Record: ws.Record{Sender: f.user(1), Body: "Hello", CreatedAt: at}}
	group := &ws.CreateGroup{Key: "few", By: f.user(1), Users: []string{f.user(2), f.user(3)}, Record: ws.Record{CreatedAt: at}}
	mustCommit(t, s, stranger, group)
	s.lists.forget()
	mustCommit(t, s, &ws.Change{Conversation: group.Conversation.ID, Record: ws.Record{Kind: ws.KindJoined, Subject: f.user(5), CreatedAt: at}},
		&ws.Recall{Seq: 3, Force: true, By: f.user(0), Record: ws.Record{Conversation: longConversation, CreatedAt: at}})
	mustCommit(t, s, &ws.Purge{Conversation: longConversation, First: 100})
	f.comeAgain(t, s, stranger.Record.Conversation)
	later := &ws.Schedule{Scheduled: ws.Scheduled{DueAt: at, To: f.user(2), Draft: ws.Record{Sender: f.user(1), MsgID: "later"}}}
	mustCommit(t, s, later)
	mustCommit(t, s, &ws.FireScheduled{ID: later.Scheduled.ID, At: at}, &ws.CancelScheduled{ID: 5},
		&ws.AddEvents{Events: []ws.Event{{Topic: "yan-message"}}}, &ws.PutEvent{ID: 5, State: ws.EventDone}, &ws.PutEvent{ID: 8, State: ws.EventDead})
	for range 2 {
		mustCommit(t, s, &ws.TakeLease{Name: "outbox", Holder: "node-1", At: at, Until: at + 1})
	}
	w, err := s.takeWriter(t.Context())
	require.NoError(t, err)
	held, err := s.held(t.Context(), w) // as when the answer to a commit was lost
	require.NoError(t, err)
	require.True(t, held)
	w.batch++
	held, err = s.held(t.Context(), w)
	require.NoError(t, err)
	require.False(t, held)
	s.writers <- w
}

// comeAgain has somebody acknowledge a message out of order, lose the device, and acknowledge it on one of the same name.
func (f *filling) comeAgain(t *testing.T, s *Store, id ws.ConversationID) {
	for range 2 {
		open := &ws.OpenDevice{User: "stranger", Device: "~tab", At: 1}
		mustCommit(t, s, open)
		mustCommit(t, s, &ws.Ack{User: "stranger", Device: "~tab", Conversation: id, From: 1, To: 1})
		mustCommit(t, s, &ws.DropDevice{User: "stranger", Device: "~tab", Epoch: open.Epoch})
	}
}
