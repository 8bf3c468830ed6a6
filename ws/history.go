package ws

import (
	"context"
	"errors"
	"math"
	"slices"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// maxUnreadScan bounds how far back unread messages are counted one by one.
	maxUnreadScan = 1000
	// lastMessageScan is how far back the last message is looked for behind records of other kinds.
	lastMessageScan = 32
	// viewBytes bounds the bodies that a call reads at a time, and those it answers with. Whoever lists conversations or reads
	// history cannot make a node hold more, however long the messages are.
	viewBytes = 1 << 20
	// viewRecords bounds how many records are looked at for one list of conversations, but for those of the last one.
	viewRecords = 20 * maxUnreadScan
)

// Conversations lists the conversations of a user by id, those above after, up to limit, fewer where the last messages are
// long or many are unread; next is 0 at the end.
func (g *Gateway) Conversations(ctx context.Context, user string, after ConversationID, limit int) (items []ConversationView, next ConversationID, err error) {
	list, err := g.store.ConversationsOf(ctx, user, after, limit+1)
	if err != nil {
		return nil, 0, err
	}
	bytes, records := 0, 0
	for i := range list {
		if i == limit || bytes >= viewBytes || records >= viewRecords {
			next = list[i-1].Conversation.ID
			break
		}
		switch c := &list[i].Conversation; {
		case c.Kind == System && c.Last < list[i].Stays[0].Joined:
			continue // nothing was ever broadcast to this user
		case c.Kind == Direct && c.Last == 0:
			continue // made for a message that is to be sent later
		}
		view, err := g.view(ctx, user, &list[i])
		if err != nil {
			return nil, 0, err
		}
		records += view.Scanned
		if items = append(items, view); view.LastMessage != nil {
			bytes += len(view.LastMessage.Record.Body)
		}
	}
	return items, next, nil
}

// ConversationWith returns the direct conversation of user and peer. Before the first message it is a view without an
// id. unknown_user if nobody knows the peer.
func (g *Gateway) ConversationWith(ctx context.Context, user, peer string) (ConversationView, error) {
	conversation, err := g.store.FindConversation(ctx, Direct, DirectKey(user, peer))
	if errors.Is(err, ErrNotFound) {
		if _, err := g.store.User(ctx, peer); errors.Is(err, ErrNotFound) {
			return ConversationView{}, protocol.FieldError(protocol.UnknownUser, "with", "nobody of that openid is known here")
		} else if err != nil {
			return ConversationView{}, err
		}
		return ConversationView{Kind: Direct, Peer: g.person(peer)}, nil
	}
	if err != nil {
		return ConversationView{}, err
	}
	if conversation.Last == 0 { // made for a message that is to be sent later
		return ConversationView{Kind: Direct, Peer: g.person(peer)}, nil
	}
	stays, err := g.store.Stays(ctx, conversation.ID, user)
	if err != nil {
		return ConversationView{}, err
	}
	return g.view(ctx, user, &Membership{Conversation: conversation, Stays: stays})
}

func (g *Gateway) view(ctx context.Context, user string, m *Membership) (ConversationView, error) {
	c := &m.Conversation
	view := ConversationView{ID: c.ID, Kind: c.Kind, LastSeq: c.Last}
	switch c.Kind {
	case Direct:
		view.Peer = g.person(c.Peer(user))
	case Group:
		view.GroupID, view.GroupName = c.Key, c.Name
	}
	if n := len(m.Stays); n > 0 {
		view.ReadSeq = m.Stays[n-1].Read
		if left := m.Stays[n-1].Left; left != 0 {
			view.LastSeq = min(view.LastSeq, left)
		}
	}
	if c.Kind == Direct {
		peer, err := g.latestStay(ctx, c.ID, view.Peer.OpenID)
		if err != nil {
			return view, err
		}
		view.PeerReadSeq = peer.Read
	}
	if view.LastSeq < c.First {
		return view, nil
	}
	unseen := func(last uint64) (from uint64) {
		from = max(c.First, view.ReadSeq+1)
		if last >= maxUnreadScan {
			from = max(from, last-maxUnreadScan+1)
		}
		return min(from, max(c.First, last-min(last, lastMessageScan))) // the last message is shown, read or not
	}
	var last *Record
	err := g.backFrom(ctx, c, view.LastSeq, func(to uint64) (from uint64, found bool, err error) {
		from = unseen(to)
		found, err = g.scan(ctx, c, from, to, func(rec *Record) {
			view.Scanned++
			if rec.Kind != KindMessage || !coversAny(m.Stays, rec.Seq) {
				return
			}
			if rec.Seq > view.ReadSeq && rec.Sender != user && rec.RecalledAt == 0 && !expired(rec, g.now()) {
				view.Unread++
			}
			last = rec
		})
		return from, found, err
	})
	if err != nil || last == nil {
		return view, err
	}
	var refused *protocol.Error
	switch err := g.opt.Authorizer.MayRead(ctx, user, c); {
	case errors.As(err, &refused):
		return view, nil
	case err != nil:
		return view, err
	}
	item := g.historyItem(last)
	view.LastMessage = &item
	return view, nil
}

func coversAny(stays []Stay, seq uint64) bool {
	return slices.ContainsFunc(stays, func(s Stay) bool { return s.Covers(seq) })
}

// FromStart stands for the place before the first position, as History's after.
const FromStart = math.MaxUint64

// History returns a page of a conversation as viewer may see it: the newest first, those below before, or, with after
// given, the oldest first, those above after; FromStart for all of them. A page holds up to limit records, fewer where they
// are long. next is what to pass back in the same place; 0 at the end. not_found for a stranger, and what the Authorizer says
// of those it refuses; an empty viewer may see all.
func (g *Gateway) History(ctx context.Context, viewer string, id ConversationID, before, after uint64, limit int) (items []HistoryItem, next uint64, err error) {
	conversation, err := g.store.Conversation(ctx, id)
	if err != nil {
		return nil, 0, err
	}
	stays := []Stay{{Joined: 1}}
	if viewer != "" {
		if stays, err = g.store.Stays(ctx, id, viewer); err != nil {
			return nil, 0, err
		}
		if len(stays) == 0 {
			return nil, 0, ErrNotFound
		}
		if err := g.opt.Authorizer.MayRead(ctx, viewer, &conversation); err != nil {
			return nil, 0, err
		}
	}
	var records []*Record
	if after > 0 {
		records, next, err = g.historyAfter(ctx, &conversation, after, limit)
	} else {
		records, next, err = g.historyBefore(ctx, &conversation, before, limit)
	}
	if err != nil {
		return nil, 0, err
	}
	for _, rec := range records {
		if coversAny(stays, rec.Seq) {
			items = append(items, g.historyItem(rec))
		}
	}
	if after == 0 {
		slices.Reverse(items)
	}
	return items, next, nil
}

// historyAfter returns the next records above after.
func (g *Gateway) historyAfter(ctx context.Context, c *Conversation, after uint64, limit int) (records []*Record, next uint64, err error) {
	from := max(after+1, c.First) // FromStart + 1 is 0
	if from > c.Last {
		return nil, 0, nil
	}
	records, err = g.store.Page(ctx, c.ID, from, c.Last, limit, viewBytes)
	if err != nil || len(records) == 0 {
		return nil, 0, err
	}
	last := records[len(records)-1].Seq
	goesOn := len(records) == limit && last < c.Last
	if !goesOn {
		goesOn, err = g.holdsAny(ctx, c, last+1, c.Last)
	}
	if goesOn {
		next = last
	}
	return records, next, err
}

// historyBefore returns the newest records below before, or of all if that is 0, in their order.
func (g *Gateway) historyBefore(ctx context.Context, c *Conversation, before uint64, limit int) (records []*Record, next uint64, err error) {
	to := c.Last
	if before > 0 {
		to = min(to, before-1)
	}
	err = g.backFrom(ctx, c, to, func(to uint64) (from uint64, found bool, err error) {
		records, from, err = g.newest(ctx, c, to, uint64(limit))
		if len(records) > 0 && from > c.First {
			next = from
		}
		return from, len(records) > 0, err
	})
	return records, next, err
}

// newest returns the records of the last positions up to to, at most count, and where they begin. The ledger is read upwards,
// so that of positions which hold too much the first would come: then it asks for fewer of them.
func (g *Gateway) newest(ctx context.Context, c *Conversation, to, count uint64) (records []*Record, from uint64, err error) {
	for {
		from = max(c.First, to-min(to, count)+1)
		records, err = g.store.Page(ctx, c.ID, from, to, int(count), viewBytes)
		n := uint64(len(records))
		if err != nil || n == 0 {
			return nil, from, err
		}
		cut, err := g.holdsAny(ctx, c, records[n-1].Seq+1, to)
		if err != nil || !cut {
			return records, from, err
		}
		count = min(n, count/2) // the last ones are about as long as the first
	}
}

// backFrom calls read for the positions up to to, and, until it has found any record from where it began to look, for those up
// to the next that there is: a new epoch of the ledger leaves out more positions than anybody could look through.
func (g *Gateway) backFrom(ctx context.Context, c *Conversation, to uint64, read func(to uint64) (from uint64, found bool, err error)) error {
	for to >= c.First && to > 0 {
		from, found, err := read(to)
		if err != nil || found {
			return err
		}
		if to, err = g.newestBelow(ctx, c, from); err != nil {
			return err
		}
	}
	return nil
}

// scan shows the records from from to to, of which it holds few at a time, and reports whether there are any.
func (g *Gateway) scan(ctx context.Context, c *Conversation, from, to uint64, show func(*Record)) (found bool, err error) {
	for from <= to {
		records, err := g.store.Page(ctx, c.ID, from, to, maxUnreadScan, viewBytes)
		if err != nil || len(records) == 0 {
			return found, err
		}
		for _, rec := range records {
			show(rec)
		}
		found, from = true, records[len(records)-1].Seq+1
	}
	return found, nil
}

// holdsAny reports whether there is a record from from to to.
func (g *Gateway) holdsAny(ctx context.Context, c *Conversation, from, to uint64) (bool, error) {
	if from > to {
		return false, nil
	}
	records, err := g.store.Page(ctx, c.ID, from, to, 1, 1)
	return len(records) > 0, err
}

// newestBelow returns the highest position below seq that holds a record; 0 if there is none. It halves the distance with
// each read.
func (g *Gateway) newestBelow(ctx context.Context, c *Conversation, seq uint64) (newest uint64, err error) {
	for low, high := max(c.First, 1), seq; low < high; {
		middle := low + (high-low)/2
		records, err := g.store.Page(ctx, c.ID, middle, high-1, 1, 1)
		if err != nil {
			return 0, err
		}
		if len(records) == 0 {
			high = middle
			continue
		}
		newest = records[0].Seq
		low = newest + 1
	}
	return newest, nil
}

func (g *Gateway) historyItem(rec *Record) HistoryItem {
	item := HistoryItem{Record: *rec, Kind: kindName(rec), FromName: g.names.of(rec.Sender)}
	switch {
	case rec.RecalledAt != 0:
		item.Kind = "recalled"
	case expired(rec, g.now()):
		item.Kind = "expired"
		item.Record.Body = ""
	}
	return item
}

// kindName returns the wire's name of a record's kind.
func kindName(rec *Record) string {
	switch rec.Kind {
	case KindMessage:
		return "message"
	case KindRecall:
		return "recall"
	case KindCreated:
		return "created"
	case KindJoined:
		return "joined"
	case KindLeft:
		return "left"
	case KindRenamed:
		return "renamed"
	case KindDissolved:
		return "dissolved"
	}
	return "unknown"
}
