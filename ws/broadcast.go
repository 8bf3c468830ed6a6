package ws

import (
	"context"

	"github.com/yanlink/yanlink/ws/protocol"
)

// broadcastPage is how many of those who are online are sent a message together.
const broadcastPage = 500

// BroadcastResult is what became of a message to everybody. Each of Users is one of Accepted, Duplicates and Refused.
type BroadcastResult struct {
	RequestID  string
	MessageID  MessageID // zero for those online, who have one each
	Users      int
	Accepted   int
	Duplicates int
	Refused    int
}

// Broadcast writes a draft's message to everybody: once, into the conversation of all users who are known now, whose
// devices get it like any other message, when they are next there. A repeat of its MsgID changes nothing. The draft names
// no recipients.
func (g *Gateway) Broadcast(ctx context.Context, draft Draft) (BroadcastResult, error) {
	answer := BroadcastResult{RequestID: g.begin(&draft)}
	if err := g.screenBroadcast(ctx, &draft); err != nil {
		return answer, err
	}
	users, err := g.store.CountMembers(ctx, SystemConversation)
	if err != nil {
		return answer, err
	}
	it := g.newSend(&draft, "")
	it.Group, it.done = SystemConversation, make(chan struct{})
	if err := g.submitAndWait(ctx, it, it.done); err != nil {
		return answer, err
	}
	if it.Err != nil {
		return answer, it.Err
	}
	answer.Users, answer.MessageID = users, it.Record.ID()
	if it.Duplicate {
		answer.Duplicates = users
	} else {
		answer.Accepted = users
	}
	return answer, nil
}

// BroadcastOnline writes a draft's message to each user who is online on any node, page by page, as a direct message.
// Whoever was written to stays so when it fails halfway; a repeat with the same MsgID goes on from there, and nobody gets
// it twice. Who comes or goes meanwhile may be missing.
func (g *Gateway) BroadcastOnline(ctx context.Context, draft Draft) (BroadcastResult, error) {
	answer := BroadcastResult{RequestID: g.begin(&draft)}
	if err := g.screenBroadcast(ctx, &draft); err != nil {
		return answer, err
	}
	if draft.MsgID == "" {
		draft.MsgID = answer.RequestID // who moves between pages gets it once
	}
	for cursor, more := "", true; more; more = cursor != "" {
		online, next, err := g.Online(ctx, cursor, broadcastPage)
		if err != nil {
			return answer, err
		}
		cursor, draft.To = next, make([]string, len(online))
		for i := range online {
			draft.To[i] = online[i].OpenID
		}
		if err := g.broadcastTo(ctx, &draft, &answer); err != nil {
			return answer, err
		}
	}
	return answer, nil
}

// broadcastTo sends a message to one page of users, and counts. Its error is one that may be gone later.
func (g *Gateway) broadcastTo(ctx context.Context, draft *Draft, answer *BroadcastResult) error {
	results, err := g.sendAll(ctx, draft)
	for i := range results {
		switch r := &results[i]; {
		case r.Err != nil && r.Err.Code.Temporary():
			return r.Err
		case r.Err != nil:
			answer.Refused++
		case r.Duplicate:
			answer.Duplicates++
		default:
			answer.Accepted++
		}
		answer.Users++
	}
	return err
}

// screenBroadcast is screen for a draft to everybody.
func (g *Gateway) screenBroadcast(ctx context.Context, draft *Draft) error {
	if g.opt.BeforeSend != nil {
		if err := g.opt.BeforeSend(ctx, draft); err != nil {
			return err
		}
	}
	switch {
	case len(draft.To) > 0:
		return protocol.FieldError(protocol.BadField, "to", "a broadcast goes to everybody: it names no recipients")
	case draft.Delay != 0:
		return protocol.FieldError(protocol.BadField, "delaySeconds", "a broadcast is not delayed")
	}
	return g.screenContent(draft)
}
