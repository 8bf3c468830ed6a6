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
)

// Conversations lists the conversations of a user by id, those above after; next is 0 at the end.
func (g *Gateway) Conversations(ctx context.Context, user string, after ConversationID, limit int) (items []ConversationView, next ConversationID, err error) {
	list, err := g.store.ConversationsOf(ctx, user, after, limit+1)
	if err != nil {
		return nil, 0, err
	}
	for i := range list {
		if i == limit {
			next = list[i-1].Conversation.ID
			break
		}
		if list[i].Conversation.Kind == System && list[i].Conversation.Last < list[i].Stays[0].Joined {
			continue // nothing was ever broadcast to this user
		}
		view, err := g.view(ctx, user, &list[i])
		if err != nil {
			return nil, 0, err
		}
		items = append(items, view)
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
	if view.LastSeq < c.First {
		return view, nil
	}
	from := max(c.First, view.ReadSeq+1)
	if view.LastSeq >= maxUnreadScan {
		from = max(from, view.LastSeq-maxUnreadScan+1)
	}
	from = min(from, max(c.First, view.LastSeq-min(view.LastSeq, lastMessageScan))) // the last message is shown, read or not
	records, err := g.store.Page(ctx, c.ID, from, view.LastSeq, maxUnreadScan, 1<<30)
	if err != nil {
		return view, err
	}
	for _, rec := range records {
		if rec.Kind != KindMessage || !coversAny(m.Stays, rec.Seq) {
			continue
		}
		if rec.Seq > view.ReadSeq && rec.Sender != user {
			view.Unread++
		}
		item := g.historyItem(rec)
		view.LastMessage = &item
	}
	return view, nil
}

func coversAny(stays []Stay, seq uint64) bool {
	return slices.ContainsFunc(stays, func(s Stay) bool { return s.Covers(seq) })
}

// FromStart stands for the place before the first position, as History's after.
const FromStart = math.MaxUint64

// History returns a page of a conversation as viewer may see it: the newest first, those below before, or, with after
// given, the oldest first, those above after; FromStart for all of them. next is what to pass back in the same place;
// 0 at the end. not_found for a stranger; an empty viewer may see all.
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
	}
	from, to := historyRange(&conversation, before, after, uint64(limit))
	if from > to {
		return nil, 0, nil
	}
	records, err := g.store.Page(ctx, id, from, to, limit, 1<<30)
	if err != nil {
		return nil, 0, err
	}
	for _, rec := range records {
		if coversAny(stays, rec.Seq) {
			items = append(items, g.historyItem(rec))
		}
	}
	if after > 0 {
		if to < conversation.Last {
			next = to
		}
		return items, next, nil
	}
	slices.Reverse(items)
	if from > conversation.First {
		next = from
	}
	return items, next, nil
}

func historyRange(c *Conversation, before, after, limit uint64) (from, to uint64) {
	if after > 0 {
		from = max(after+1, c.First) // FromStart + 1 is 0
		return from, min(c.Last, from+limit-1)
	}
	to = c.Last
	if before > 0 {
		to = min(to, before-1)
	}
	from = c.First
	if to >= limit {
		from = max(from, to-limit+1)
	}
	return from, to
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
