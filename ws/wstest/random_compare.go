package wstest

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// outcome says what became of an op, in words that hold in both stores: conversations by their key, no ids, and of
// a refusal only that it was one, since which of several reasons comes first is not promised.
func outcome(s *subject, op ws.Op) string {
	if fire, ok := op.(*ws.FireScheduled); ok && op.Result().Err == nil {
		return fmt.Sprint("fired ", recordText(s, &fire.Sent.Record), sorted(fire.Sent.Members))
	}
	if open, ok := op.(*ws.OpenDevice); ok && open.Accept != nil && open.Err != nil {
		return fmt.Sprint("refused, the token too: ", open.Accept.Err != nil)
	}
	if op.Result().Err != nil {
		return "refused"
	}
	switch op := op.(type) {
	case *ws.Send:
		if op.Duplicate {
			return fmt.Sprint("duplicate ", op.Record.Seq, op.ScheduledID != 0, op.Cancelled)
		}
		return fmt.Sprint("sent ", recordText(s, &op.Record), sorted(op.Members))
	case *ws.OpenDevice:
		return fmt.Sprint("opened ", op.Created, op.Dropped)
	case *ws.CreateGroup:
		return fmt.Sprint("group ", op.Existed, op.Conversation.Key, op.Conversation.Last, sorted(op.Members))
	case *ws.Change:
		if op.Unchanged {
			return "unchanged"
		}
		return fmt.Sprint("changed ", recordText(s, &op.Record), sorted(op.Members))
	case *ws.Recall:
		if op.Duplicate {
			return "recalled before " + recordText(s, &op.Record)
		}
		return fmt.Sprint("recalled ", recordText(s, &op.Record), sorted(op.Members))
	case *ws.Schedule:
		return fmt.Sprint("scheduled ", op.Duplicate, op.Sent.Seq, op.Cancelled)
	default:
		return "done"
	}
}

func sorted(members []string) []string { return slices.Sorted(slices.Values(members)) }

// recordText is a record with its conversation by key.
func recordText(s *subject, rec *ws.Record) string {
	c := s.conversation(rec.Conversation)
	stripped := *rec
	stripped.Conversation = 0
	return fmt.Sprintf("%d/%s %+v\n", c.Kind, c.Key, stripped)
}

// compare reads everything from both stores.
func (p *pair) compare() {
	want, got := newSnapshot(p.model, p.now), newSnapshot(p.tested, p.now)
	for _, part := range slices.Sorted(maps.Keys(want)) {
		require.Equal(p.tested, want[part], got[part], "%s differ (expected: the model)\n%s", part, p)
	}
	require.Equal(p.tested, want, got)
}

// snapshot is everything that can be read from a store, as text, by what it is about.
type snapshot map[string][]string

func (m snapshot) add(part, format string, args ...any) {
	m[part] = append(m[part], fmt.Sprintf(format, args...))
}

// addSorted adds lines in an order that does not depend on the store's ids.
func (m snapshot) addSorted(part string, lines []string) {
	slices.Sort(lines)
	m[part] = append(m[part], lines...)
}

func newSnapshot(s *subject, now ws.Millis) snapshot {
	m := snapshot{}
	refs := []conversationRef{{ws.System, "system"}}
	for _, key := range randomGroups {
		refs = append(refs, conversationRef{ws.Group, key})
	}
	for i, a := range randomUsers {
		m.user(s, a)
		for _, b := range randomUsers[i:] {
			refs = append(refs, conversationRef{ws.Direct, ws.DirectKey(a, b)})
		}
	}
	for _, ref := range refs {
		// A direct conversation in which nothing was said yet may be there or not.
		if c, err := s.FindConversation(s.ctx, ref.kind, ref.key); err == nil && (c.Last > 0 || c.Kind == ws.System) {
			m.conversation(s, c)
		}
	}
	m.waiting(s, now)
	m.updated(s, now)
	return m
}

func (m snapshot) user(s *subject, openID string) {
	u, err := s.User(s.ctx, openID)
	if err != nil {
		m.add("users", "%s unknown", openID)
		return
	}
	m.add("users", "%s %q first seen %d banned %v", u.OpenID, u.Name, u.FirstSeen, u.Banned)
	devices, err := s.Devices(s.ctx, openID)
	require.NoError(s, err)
	for _, d := range devices {
		m.add("devices", "%s %s created %d seen %d", d.User, d.Name, d.CreatedAt, d.LastSeen)
	}
	for mark := range byte(3) {
		if t, owner, err := s.Token(s.ctx, [32]byte{mark, openID[0]}); err == nil && t.Epoch == owner.TokenEpoch {
			m.add("tokens", "%s %d until %d", t.OpenID, mark, t.ExpiresAt)
		}
	}
	memberships, err := s.ConversationsOf(s.ctx, openID, 0, everything)
	require.NoError(s, err)
	var ids []ws.ConversationID
	var of []string
	for _, membership := range memberships {
		if c := membership.Conversation; c.Last > 0 || c.Kind == ws.System {
			ids = append(ids, c.ID)
			of = append(of, fmt.Sprintf("%s in %d/%s %s", openID, c.Kind, c.Key, staysText(membership.Stays)))
		}
	}
	m.addSorted("memberships", of)
	for _, d := range devices {
		m.device(s, ws.DeviceRef{User: openID, Device: d.Name}, ids)
	}
}

// device is where a device stands, and what it has left to get.
func (m snapshot) device(s *subject, ref ws.DeviceRef, ids []ws.ConversationID) {
	positions, err := s.Positions(s.ctx, ref, ids)
	require.NoError(s, err)
	behind := s.behind(ref.User, ref.Device)
	var lines []string
	for _, position := range positions {
		c, cursor := position.Conversation, position.Cursor
		var had []uint64
		for _, r := range s.receipts(ref.User, ref.Device, c.ID, cursor.Seq) {
			for seq := max(r.From, c.First, cursor.Seq+1); seq <= r.To; seq++ {
				had = append(had, seq)
			}
		}
		slices.Sort(had)
		lines = append(lines, fmt.Sprintf("%v in %d/%s at %d due %d behind %v had %v %s", ref, c.Kind, c.Key, cursor.Seq, cursor.Due,
			slices.Contains(behind, c.ID), slices.Compact(had), staysText(position.Stays)))
	}
	m.addSorted("positions", lines)
}

// staysText is a user's stays. Which of several stays holds the marks is not promised, only their greatest.
func staysText(stays []ws.Stay) string {
	var text strings.Builder
	var read, delivered uint64
	for i, stay := range stays {
		fmt.Fprintf(&text, "[%d-%d role %d]", stay.Joined, stay.Left, stay.Role)
		read, delivered = max(read, stay.Read), max(delivered, stay.Delivered)
		if i == 0 {
			delivered = max(delivered, stay.Joined-1)
		}
	}
	fmt.Fprintf(&text, " read %d delivered %d", read, delivered)
	return text.String()
}

func (m snapshot) conversation(s *subject, c ws.Conversation) {
	name := fmt.Sprintf("%d/%s", c.Kind, c.Key)
	if c.Last > 0 {
		m.add("conversations", "%s %q first %d last %d updated %d", name, c.Name, c.First, c.Last, c.UpdatedAt)
	}
	m.add("members", "%s %v", name, s.members(c.ID))
	for _, rec := range s.page(c.ID) {
		m.add("records", "%s", recordText(s, rec))
		require.Equal(s, rec, s.record(c.ID, rec.Seq))
		if rec.MsgID != "" {
			seq, err := s.Dedup(s.ctx, c.ID, rec.Sender, rec.MsgID)
			require.NoError(s, err)
			require.Equal(s, rec.Seq, seq)
		}
		m.add("receipts", "%s %d had by %v", name, rec.Seq, coverage(s.proofs(c.ID, rec.Seq)))
	}
	for _, limit := range []int{1, 60, 150} {
		m.add("pages", "%s %v", name, s.pageOf(c.ID, c.First+1, c.Last-1, 3, limit))
	}
	for _, user := range randomUsers {
		stays, err := s.Stays(s.ctx, c.ID, user)
		require.NoError(s, err)
		m.add("stays", "%s %s %s", name, user, staysText(stays))
		for _, msgid := range []string{"m1", "m2", "m3"} {
			seq, err := s.Dedup(s.ctx, c.ID, user, msgid)
			m.add("dedup", "%s %s %q %d %v", name, user, msgid, seq, err == nil)
		}
	}
}

// coverage lists which devices have a receipt. Where runs end is promised within one batch only.
func coverage(receipts []ws.Receipt) []string {
	var devices []string
	for _, r := range receipts {
		devices = append(devices, r.User+"/"+r.Device)
	}
	slices.Sort(devices)
	return slices.Compact(devices)
}

// waiting is what is to be done later: scheduled messages, events, ephemeral devices to drop.
func (m snapshot) waiting(s *subject, now ws.Millis) {
	for _, t := range []ws.Millis{now, now + 1_000_000} {
		due, err := s.DueScheduled(s.ctx, t, everything)
		require.NoError(s, err)
		require.True(s, slices.IsSortedFunc(due, func(a, b ws.Scheduled) int { return cmp.Compare(a.DueAt, b.DueAt) }))
		var lines []string
		for _, d := range due {
			group := ""
			if d.Group != 0 {
				group = s.conversation(d.Group).Key
			}
			lines = append(lines, fmt.Sprintf("at %d to %q group %q ttl %d %+v", d.DueAt, d.To, group, d.TTL, d.Draft))
		}
		m.addSorted("scheduled", lines)
		idle, err := s.IdleDevices(s.ctx, t-20_000, everything)
		require.NoError(s, err)
		lines = nil
		for _, d := range idle {
			lines = append(lines, fmt.Sprintf("%d %s %s", t, d.User, d.Name))
		}
		m.addSorted("idle", lines)
	}
	for _, state := range []ws.EventState{ws.EventPending, ws.EventDone, ws.EventDead, ws.EventScheduled} {
		for _, e := range s.events(state) {
			e.ID = 0
			m.add("events", "%+v", e)
		}
	}
}

func (m snapshot) updated(s *subject, now ws.Millis) {
	for _, since := range []ws.Millis{0, now - 5000} {
		heads, err := s.Updated(s.ctx, since)
		require.NoError(s, err)
		var lines []string
		for _, h := range heads {
			lines = append(lines, fmt.Sprintf("since %d: %d/%s last %d at %d", since, h.Kind, h.Key, h.Last, h.UpdatedAt))
		}
		m.addSorted("updated", lines)
	}
}
