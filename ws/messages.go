package ws

import (
	"context"
	"slices"
	"unicode/utf8"

	"github.com/yanlink/yanlink/ws/protocol"
)

// maxRecipients bounds the recipients of one Draft.
const maxRecipients = 1000

// Send writes a draft's message to each of its recipients and returns when all of it is durable or refused. What one
// recipient is refused with stands in its Result; the error is for the draft as a whole.
func (g *Gateway) Send(ctx context.Context, draft Draft) (SendResult, error) {
	answer := SendResult{RequestID: g.begin(&draft)}
	if err := g.screen(ctx, &draft); err != nil {
		g.opt.Metrics.Message(string(protocol.AsError(err).Code), len(draft.To))
		return answer, err
	}
	if draft.Delay > 0 && draft.MsgID == "" {
		draft.MsgID = answer.RequestID // by which it is found again once it was sent
	}
	var err error
	answer.Results, err = g.sendAll(ctx, &draft)
	return answer, err
}

// sendAll writes a draft that was screened to each of its recipients and waits. The error says that it took too long; what
// is known by then of some of them is returned.
func (g *Gateway) sendAll(ctx context.Context, draft *Draft) (results []Result, err error) {
	items := make([]awaited, len(draft.To))
	for i, to := range draft.To {
		it := g.newAwaited(draft, to)
		if err := g.opt.Authorizer.MaySend(ctx, draft.From, to); err != nil {
			it.refused(err)
		} else if err := g.committers.submit(it); err != nil {
			it.refused(err)
		}
		items[i] = it
	}
	for i, it := range items {
		select {
		case <-it.finished():
			r := it.result(draft.To[i])
			if r.Err != nil {
				g.opt.Metrics.Message(string(r.Err.Code), 1)
			}
			results = append(results, r)
		case <-ctx.Done():
			return results, &protocol.Error{Code: protocol.Overloaded, Message: "it took too long to write; repeat it with the same msgid", Cause: ctx.Err()}
		}
	}
	return results, nil
}

// begin fills in what is not the caller's to say, and returns the number of the request.
func (g *Gateway) begin(draft *Draft) (requestID string) {
	draft.trigger = protocol.TriggerREST
	draft.requestID = protocol.NewRequestID()
	if draft.From == "" {
		draft.From = "system:" + g.opt.AppName
		draft.FromName = g.opt.AppName
	}
	return string(protocol.AppendUUID(nil, draft.requestID))
}

// awaited is the item of a message for one recipient whose sender waits until it is durable or refused.
type awaited interface {
	item
	finished() <-chan struct{}
	result(to string) Result
}

// newAwaited makes the item that sends a draft to one recipient, now or later.
func (g *Gateway) newAwaited(draft *Draft, to string) awaited {
	if draft.Delay > 0 {
		return g.newSchedule(draft, to)
	}
	it := g.newSend(draft, to)
	it.done = make(chan struct{})
	return it
}

func (it *sendItem) finished() <-chan struct{} { return it.done }

func (it *sendItem) result(to string) Result {
	switch {
	case it.Err != nil:
		return Result{To: to, Err: protocol.AsError(it.Err)}
	case it.ScheduledID != 0:
		return Result{To: to, Scheduled: &ScheduledRef{it.ScheduledID, it.Record.Sender, to, it.Record.MsgID}}
	}
	return Result{To: to, MessageID: it.Record.ID(), Duplicate: it.Duplicate}
}

// screen validates a draft and lets the host's hook see it. For a socket it checks the authorization as well.
func (g *Gateway) screen(ctx context.Context, draft *Draft) error {
	if g.opt.BeforeSend != nil {
		if err := g.opt.BeforeSend(ctx, draft); err != nil {
			return err
		}
	}
	if err := g.screenContent(draft); err != nil {
		return err
	}
	switch {
	case len(draft.To) == 0:
		return protocol.FieldError(protocol.MissingField, "to", "a message needs a recipient")
	case len(draft.To) > maxRecipients:
		return protocol.FieldError(protocol.BadField, "to", "at most 1000 recipients in one call")
	}
	for _, to := range draft.To {
		if !protocol.ValidOpenID(to) {
			return protocol.FieldError(protocol.BadField, "to", "an openid is 1 to 128 bytes without comma or control characters")
		}
	}
	if draft.trigger == protocol.TriggerWebSocket {
		return g.opt.Authorizer.MaySend(ctx, draft.From, draft.To[0])
	}
	return nil
}

// screenContent validates what a draft says, whoever is to get it.
func (g *Gateway) screenContent(draft *Draft) error {
	switch {
	case len(draft.Body) > g.opt.MaxBody:
		return protocol.FieldError(protocol.TooLarge, "message", "the message is longer than this server takes")
	case !utf8.ValidString(draft.Body):
		return protocol.FieldError(protocol.BadField, "message", "the message is not UTF-8")
	case draft.FileType > 4:
		return protocol.FieldError(protocol.BadField, "fileType", "fileType is 0 text, 1 image, 2 file, 3 audio or 4 video")
	case draft.MsgID != "" && !protocol.ValidMsgID(draft.MsgID):
		return protocol.FieldError(protocol.BadField, "msgid", "a msgid is at most 64 characters without control characters")
	case draft.Delay < 0 || draft.Delay > max(0, g.opt.MaxDelay):
		return protocol.FieldError(protocol.BadField, "delaySeconds", "a message waits at most "+max(0, g.opt.MaxDelay).String()+" on this server")
	case draft.TTL < 0:
		return protocol.FieldError(protocol.BadField, "ttlSeconds", "a ttl is not negative")
	case !protocol.ValidOpenID(draft.From):
		return protocol.FieldError(protocol.BadField, "from", "an openid is 1 to 128 bytes without comma or control characters")
	}
	return nil
}

// Recall blanks a message and tells every device of its conversation. by has to be its sender, within RecallWindow,
// unless force. Refused with not_found, forbidden, conflict.
func (g *Gateway) Recall(ctx context.Context, by string, force bool, id MessageID) error {
	return g.recall(ctx, &Recall{By: by, Force: force, Record: Record{Trigger: protocol.TriggerREST}}, id)
}

// recall completes an op that says who recalls, and from where, and does it.
func (g *Gateway) recall(ctx context.Context, op *Recall, id MessageID) error {
	if err := g.covered(ctx, op.By, op.Force, id); err != nil {
		return err
	}
	op.Seq, op.Window = id.Seq, int64(max(0, millis(g.opt.RecallWindow)))
	rec := &op.Record
	rec.Conversation, rec.Kind, rec.Target = id.Conversation, KindRecall, id.Seq
	rec.Sender, rec.Node, rec.CreatedAt, rec.RequestID = op.By, g.opt.NodeID, g.now(), protocol.NewRequestID()
	return g.writeThen(ctx, op, func(d *dispatcher) {
		if !op.Duplicate {
			d.deliver(rec, op.Members, "")
		}
	})
}

// covered hides what lies outside the viewer's stays: a stranger's message is not found, whoever asks.
func (g *Gateway) covered(ctx context.Context, viewer string, all bool, id MessageID) error {
	if all {
		return nil
	}
	stays, err := g.store.Stays(ctx, id.Conversation, viewer)
	if err != nil {
		return err
	}
	for i := range stays {
		if stays[i].Covers(id.Seq) {
			return nil
		}
	}
	return ErrNotFound
}

// Message returns the whole life of a message; of a broadcast, without its recipients. viewer is the openid that asks;
// empty may see all. not_found also for what the viewer has no stay for.
func (g *Gateway) Message(ctx context.Context, viewer string, id MessageID) (MessageLife, error) {
	if err := g.covered(ctx, viewer, viewer == "", id); err != nil {
		return MessageLife{}, err
	}
	rec, err := g.store.Record(ctx, id)
	if err != nil {
		return MessageLife{}, err
	}
	if rec.Kind != KindMessage {
		return MessageLife{}, ErrNotFound
	}
	life := MessageLife{Record: *rec}
	if life.Recipients, err = g.recipientLives(ctx, rec); err != nil {
		return MessageLife{}, err
	}
	states := make(map[string]int)
	for i := range life.Recipients {
		states[life.Recipients[i].State]++
	}
	recipients := len(life.Recipients)
	switch {
	case rec.RecalledAt != 0:
		life.State = "recalled"
	case recipients > 0 && states["read"] == recipients:
		life.State = "read"
	case recipients > 0 && states["stored"] == 0:
		life.State = "delivered"
	case expired(rec, g.now()):
		life.State = "expired"
	default:
		life.State = "stored"
	}
	return life, nil
}

// recipientLives returns how far a message has come with each of those it was addressed to; nobody of a broadcast.
func (g *Gateway) recipientLives(ctx context.Context, rec *Record) ([]RecipientLife, error) {
	if rec.Conversation == SystemConversation {
		return nil, nil
	}
	receipts, err := g.store.ReceiptsOf(ctx, rec.ID())
	if err != nil {
		return nil, err
	}
	recipients, err := g.recipients(ctx, rec)
	lives := make([]RecipientLife, len(recipients))
	for i := range recipients {
		lives[i] = recipientLife(&recipients[i], rec.Seq, receipts)
	}
	return lives, err
}

// recipients returns the stays of those a message was addressed to: all who are in the conversation, but not its sender.
func (g *Gateway) recipients(ctx context.Context, rec *Record) ([]Stay, error) {
	conversation, err := g.store.Conversation(ctx, rec.Conversation)
	if err != nil {
		return nil, err
	}
	if conversation.Kind == Direct {
		stay, err := g.latestStay(ctx, rec.Conversation, conversation.Peer(rec.Sender))
		return []Stay{stay}, err
	}
	members, err := g.store.Members(ctx, rec.Conversation)
	if err != nil {
		return nil, err
	}
	var addressed []Stay
	for i := range members {
		if members[i].User != rec.Sender && members[i].Covers(rec.Seq) {
			addressed = append(addressed, members[i])
		}
	}
	return addressed, nil
}

// latestStay returns a user's last stay in a conversation.
func (g *Gateway) latestStay(ctx context.Context, id ConversationID, user string) (Stay, error) {
	stays, err := g.store.Stays(ctx, id, user)
	if err != nil || len(stays) == 0 {
		return Stay{Conversation: id, User: user}, err
	}
	return stays[len(stays)-1], nil
}

func recipientLife(stay *Stay, seq uint64, receipts []Receipt) RecipientLife {
	life := RecipientLife{OpenID: stay.User, State: "stored"}
	for _, r := range receipts {
		if r.User != stay.User {
			continue
		}
		life.State = "delivered"
		one := DeviceLife{Device: r.Device, Node: r.Node, Pushes: r.Attempts, AcknowledgedAt: r.At}
		// Runs of one device may overlap where an acknowledgement was repeated in another form: the first one counts.
		at := slices.IndexFunc(life.Devices, func(d DeviceLife) bool { return d.Device == r.Device })
		switch {
		case at < 0:
			life.Devices = append(life.Devices, one)
		case r.At < life.Devices[at].AcknowledgedAt:
			life.Devices[at] = one
		}
	}
	if stay.Read >= seq {
		life.State, life.ReadAt = "read", stay.ReadAt
	}
	return life
}
