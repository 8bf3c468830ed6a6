package ws

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/yanlink/yanlink/ws/protocol"
)

// ScheduledRef names a delayed message, and what it is known by once it was sent.
type ScheduledRef struct {
	ID              uint64
	From, To, MsgID string
}

// String returns the wire form, opaque to clients.
func (r ScheduledRef) String() string {
	raw := binary.BigEndian.AppendUint64(nil, r.ID)
	return base64.RawURLEncoding.EncodeToString(append(raw, r.From+","+r.To+","+r.MsgID...))
}

// ParseScheduledRef reads the wire form. What it says is somebody's claim.
func ParseScheduledRef(s string) (r ScheduledRef, ok bool) {
	raw, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(raw) < 8 {
		return r, false
	}
	parts := strings.SplitN(string(raw[8:]), ",", 3) // no openid holds a comma
	if len(parts) < 3 {
		return r, false
	}
	r = ScheduledRef{binary.BigEndian.Uint64(raw), parts[0], parts[1], parts[2]}
	return r, r.ID != 0 && protocol.ValidOpenID(r.From) && protocol.ValidOpenID(r.To) && protocol.ValidMsgID(r.MsgID)
}

// scheduleItem is a message that is to be sent later, on its way into the ledger.
type scheduleItem struct {
	Schedule
	delay Millis
	done  chan struct{} // closed when it is known what became of it
}

func (g *Gateway) newSchedule(draft *Draft, to string) *scheduleItem {
	sent := g.newSend(draft, to)
	return &scheduleItem{
		delay: millis(draft.Delay), done: make(chan struct{}),
		Schedule: Schedule{
			Scheduled:   Scheduled{To: to, TTL: int64(sent.ttl), Draft: sent.Record},
			CreateUsers: sent.CreateUsers, SenderName: sent.SenderName, Hash: sent.Hash,
		},
	}
}

func (it *scheduleItem) op() Op                    { return &it.Schedule }
func (it *scheduleItem) kept() bool                { return false }
func (it *scheduleItem) finished() <-chan struct{} { return it.done }

func (it *scheduleItem) stamp(now Millis) {
	it.Scheduled.Draft.CreatedAt, it.Scheduled.DueAt = now, now+it.delay
}

func (it *scheduleItem) refused(err error) {
	it.Err = err
	close(it.done)
}

func (it *scheduleItem) committed(d *dispatcher) {
	if it.Cancelled {
		it.Err = errDelayed(true)
	}
	switch {
	case it.Err != nil:
	case it.Duplicate:
		d.g.opt.Metrics.Message("duplicate", 1)
	default:
		d.g.opt.Metrics.Message("scheduled", 1)
	}
	close(it.done)
}

func (it *scheduleItem) result(to string) Result {
	s := &it.Scheduled
	switch {
	case it.Err != nil:
		return Result{To: to, Err: protocol.AsError(it.Err)}
	case !it.Sent.IsZero():
		return Result{To: to, MessageID: it.Sent, Duplicate: true}
	}
	return Result{To: to, Scheduled: &ScheduledRef{s.ID, s.Draft.Sender, to, s.Draft.MsgID}}
}

// errDelayed refuses to repeat a delayed message as one that was accepted, which it is not.
func errDelayed(cancelled bool) error {
	if cancelled {
		return protocol.NewError(protocol.Conflict, "the delayed message of this msgid was cancelled; send it under another msgid")
	}
	return protocol.NewError(protocol.Conflict, "the message of this msgid is delayed and not sent yet")
}

// CancelScheduled cancels a delayed message. by has to be its sender; empty may cancel anybody's. Refused with conflict
// once it was sent; with not_found where it is not there, or another's.
func (g *Gateway) CancelScheduled(ctx context.Context, by string, ref ScheduledRef) error {
	if by != "" && by != ref.From {
		return errNotScheduled
	}
	err := g.write(ctx, &CancelScheduled{ID: ref.ID, By: ref.From})
	if err == nil {
		return nil
	}
	switch coded := protocol.AsError(err); coded.Code {
	case protocol.Forbidden:
		return errNotScheduled
	case protocol.NotFound:
		return g.whyNotScheduled(ctx, ref)
	default:
		return coded
	}
}

var errNotScheduled = protocol.NewError(protocol.NotFound, "there is no such delayed message, or it was cancelled")

// whyNotScheduled tells a message that was sent from one that was cancelled or never there.
func (g *Gateway) whyNotScheduled(ctx context.Context, ref ScheduledRef) error {
	conversation, err := g.store.FindConversation(ctx, Direct, DirectKey(ref.From, ref.To))
	if err == nil {
		_, err = g.store.Dedup(ctx, conversation.ID, ref.From, ref.MsgID)
	}
	switch {
	case err == nil:
		return protocol.NewError(protocol.Conflict, "the message was sent already; it can be recalled")
	case errors.Is(err, ErrNotFound):
		return errNotScheduled
	}
	return err
}
