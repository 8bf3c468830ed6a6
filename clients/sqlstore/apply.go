package sqlstore

import (
	"errors"
	"fmt"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// errLacking ends an op that cannot go on without what was not read; the plan has it now.
var errLacking = errors.New("sqlstore: more of the ledger is needed")

func refuse(code protocol.Code, text string) error { return protocol.NewError(code, text) }

// lack notes that the batch is to run again and returns what ends the op.
func (v *view) lack() error {
	v.lacking = true
	return errLacking
}

// apply applies ops in order. Each is checked completely before it changes anything, so that a refused one leaves no
// trace. An error means that an op is of no known kind.
func (v *view) apply(ops []ws.Op) error {
	for _, op := range ops {
		err := v.applyOne(op)
		var refused *protocol.Error
		if err != nil && !errors.Is(err, errLacking) && !errors.As(err, &refused) {
			return err
		}
		op.Result().Err = err
	}
	return nil
}

func (v *view) applyOne(op ws.Op) error {
	switch op := op.(type) {
	case *ws.Send:
		return v.send(op)
	case *ws.Ack:
		return v.ack(op)
	case *ws.OpenDevice:
		return v.openDevice(op)
	case *ws.DropDevice:
		return v.dropDevice(op)
	case *ws.SeenDevice:
		return v.seenDevice(op)
	case *ws.PutUser:
		v.know(v.holdUser(op.OpenID), op.Name, op.At)
		return nil
	case *ws.BanUser:
		return v.banUser(op)
	case *ws.AcceptToken:
		return v.acceptToken(op)
	case *ws.RevokeTokens:
		return v.revokeTokens(op)
	case *ws.DropToken:
		v.dropToken(op)
		return nil
	case *ws.CreateGroup:
		return v.createGroup(op)
	case *ws.Change:
		return v.change(op)
	case *ws.Recall:
		return v.recall(op)
	case *ws.MarkRead:
		return v.markRead(op)
	case *ws.Schedule:
		return v.schedule(op)
	case *ws.FireScheduled:
		return v.fireScheduled(op)
	case *ws.CancelScheduled:
		return v.cancelScheduled(op)
	case *ws.AddEvents:
		v.putEvents(op.Events)
		return nil
	case *ws.PutEvent:
		return v.putEvent(op)
	case *ws.Purge:
		return v.purge(op)
	case *ws.TakeLease:
		return v.takeLease(op)
	}
	return fmt.Errorf("sqlstore: no such op: %T", op)
}

// conversation returns a conversation's row, locked.
func (v *view) conversation(id ws.ConversationID) *row[ws.ConversationID, conversation] {
	c := v.conversations.get(id)
	v.conversations.hold(c)
	return c
}

// appendRecord gives the record the next seq of the conversation.
func (v *view) appendRecord(c *row[ws.ConversationID, conversation], r *ws.Record) {
	c.val.Last++
	c.val.UpdatedAt = r.CreatedAt
	v.conversations.touch(c)
	r.Conversation, r.Seq = c.key, c.val.Last
	added := &row[ws.MessageID, record]{key: r.ID()}
	v.records.rows[added.key] = added
	v.records.put(added, record{Record: *r})
}
