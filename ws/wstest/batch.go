package wstest

import (
	"fmt"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// batch applies the ops of one commit, each right after the one before it. Every op checks first and changes the
// ledger only when nothing can refuse it any more.
type batch struct {
	*ledger
	fresh []*run // the receipts that this batch has written
}

// apply returns why op is refused.
func (b *batch) apply(op ws.Op) error {
	switch op := op.(type) {
	case *ws.Send:
		return b.send(op)
	case *ws.Ack:
		return b.ack(op)
	case *ws.OpenDevice:
		return b.openDevice(op)
	case *ws.DropDevice:
		return b.dropDevice(op)
	case *ws.SeenDevice:
		return b.seenDevice(op)
	case *ws.PutUser:
		b.rename(op.OpenID, op.Name, op.At)
		return nil
	case *ws.BanUser:
		return b.ban(op)
	case *ws.AcceptToken:
		return b.acceptToken(op)
	case *ws.RevokeTokens:
		return b.revokeTokens(op)
	case *ws.DropToken:
		b.dropToken(op)
		return nil
	case *ws.CreateGroup:
		return b.createGroup(op)
	case *ws.Change:
		return b.change(op)
	case *ws.Recall:
		return b.recall(op)
	case *ws.MarkRead:
		return b.markRead(op)
	case *ws.Schedule:
		return b.schedule(op)
	case *ws.FireScheduled:
		return b.fire(op)
	case *ws.CancelScheduled:
		return b.cancel(op)
	case *ws.AddEvents:
		b.emit(op.Events)
		return nil
	case *ws.PutEvent:
		return b.putEvent(op)
	case *ws.Purge:
		return b.purge(op)
	case *ws.TakeLease:
		return b.takeLease(op)
	default:
		return refuse(protocol.Internal, fmt.Sprintf("unknown op %T", op))
	}
}

func (b *batch) ban(op *ws.BanUser) error {
	u := b.users[op.OpenID]
	if u == nil {
		return refuse(protocol.UnknownUser, "no such user")
	}
	u.Banned = op.Banned
	return nil
}

func (b *batch) dropToken(op *ws.DropToken) {
	t, ok := b.tokens[op.Hash]
	u := b.users[op.OpenID]
	revoked := u != nil && t.Epoch < u.TokenEpoch
	if ok && t.OpenID == op.OpenID && t.ExpiresAt < op.Before && !revoked {
		delete(b.tokens, op.Hash)
	}
}

func (b *batch) acceptToken(op *ws.AcceptToken) error {
	epoch := uint64(0)
	if u := b.users[op.Token.OpenID]; u != nil {
		epoch = u.TokenEpoch
		if u.Banned {
			return refuse(protocol.Forbidden, "the user is banned")
		}
		if op.IssuedAt != 0 && op.IssuedAt < u.revokedAt {
			return refuse(protocol.Unauthorized, "the token was issued before the tokens were revoked")
		}
	}
	if known, ok := b.tokens[op.Token.Hash]; ok && known.Epoch < epoch {
		return refuse(protocol.Unauthorized, "the token was revoked")
	}
	b.rename(op.Token.OpenID, op.Name, op.At)
	op.Token.Epoch = epoch
	b.tokens[op.Token.Hash] = op.Token
	return nil
}

func (b *batch) revokeTokens(op *ws.RevokeTokens) error {
	u := b.users[op.OpenID]
	if u == nil {
		return refuse(protocol.UnknownUser, "no such user")
	}
	u.TokenEpoch++
	u.revokedAt = max(u.revokedAt, op.At)
	return nil
}

func (b *batch) putEvent(op *ws.PutEvent) error {
	event := b.events[op.ID]
	if event == nil {
		return ws.ErrNotFound
	}
	if op.State == ws.EventDone {
		delete(b.events, op.ID)
		return nil
	}
	event.State, event.Attempts, event.NextAttemptAt = op.State, op.Attempts, op.NextAttemptAt
	return nil
}

func (b *batch) takeLease(op *ws.TakeLease) error {
	if held, ok := b.leases[op.Name]; ok && held.holder != op.Holder && op.Yields(held.until) {
		return refuse(protocol.Conflict, "somebody else holds the lease")
	}
	b.leases[op.Name] = lease{op.Holder, op.Until}
	return nil
}

func (b *batch) purge(op *ws.Purge) error {
	c := b.conversations[op.Conversation]
	if c == nil {
		return ws.ErrNotFound
	}
	for first := min(op.First, c.Last+1); c.First < first; c.First++ {
		delete(c.records, c.First)
	}
	for _, receipts := range c.receipts {
		for from, receipt := range receipts {
			if receipt.To < c.First {
				delete(receipts, from)
			}
		}
	}
	return nil
}
