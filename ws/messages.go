package ws

import (
	"context"
	"slices"

	"github.com/yanlink/yanlink/ws/protocol"
)

// maxRecipients bounds the recipients of one Draft.
const maxRecipients = 1000

// Send writes a draft's message to each of its recipients and returns when all of it is durable or refused. What one
// recipient is refused with stands in its Result; the error is for the draft as a whole.
func (g *Gateway) Send(ctx context.Context, draft Draft) (SendResult, error) {
	draft.trigger = protocol.TriggerREST
	draft.requestID = protocol.NewRequestID()
	answer := SendResult{RequestID: string(protocol.AppendUUID(nil, draft.requestID))}
	if draft.From == "" {
		draft.From = "system:" + g.opt.AppName
		draft.FromName = g.opt.AppName
	}
	if err := g.screen(ctx, &draft); err != nil {
		g.opt.Metrics.Message(string(protocol.AsError(err).Code), len(draft.To))
		return answer, err
	}
	items := make([]*sendItem, len(draft.To))
	for i, to := range draft.To {
		it := g.newSend(&draft, to)
		it.done = make(chan struct{})
		if err := g.maySend(ctx, draft.From, to); err != nil {
			it.refused(err)
		} else if err := g.committers.submit(it); err != nil {
			it.refused(err)
		}
		items[i] = it
	}
	for i, it := range items {
		select {
		case <-it.done:
			answer.Results = append(answer.Results, it.result(draft.To[i]))
		case <-ctx.Done():
			return answer, &protocol.Error{Code: protocol.Overloaded, Message: "it took too long to write; repeat it with the same msgid", Cause: ctx.Err()}
		}
	}
	for _, r := range answer.Results {
		if r.Err != nil {
			g.opt.Metrics.Message(string(r.Err.Code), 1)
		}
	}
	return answer, nil
}

func (it *sendItem) result(to string) Result {
	if it.Err != nil {
		return Result{To: to, Err: protocol.AsError(it.Err)}
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
	switch {
	case len(draft.To) == 0:
		return protocol.FieldError(protocol.MissingField, "to", "a message needs a recipient")
	case len(draft.To) > maxRecipients:
		return protocol.FieldError(protocol.BadField, "to", "at most 1000 recipients in one call")
	case len(draft.Body) > g.opt.MaxBody:
		return protocol.FieldError(protocol.TooLarge, "message", "the message is longer than this server takes")
	case draft.FileType > 4:
		return protocol.FieldError(protocol.BadField, "fileType", "fileType is 0 text, 1 image, 2 file, 3 audio or 4 video")
	case draft.MsgID != "" && !protocol.ValidMsgID(draft.MsgID):
		return protocol.FieldError(protocol.BadField, "msgid", "a msgid is at most 64 characters without control characters")
	case draft.TTL < 0:
		return protocol.FieldError(protocol.BadField, "ttlSeconds", "a ttl is not negative")
	case !protocol.ValidOpenID(draft.From):
		return protocol.FieldError(protocol.BadField, "from", "an openid is 1 to 128 bytes without comma or control characters")
	}
	for _, to := range draft.To {
		if !protocol.ValidOpenID(to) {
			return protocol.FieldError(protocol.BadField, "to", "an openid is 1 to 128 bytes without comma or control characters")
		}
	}
	if draft.trigger == protocol.TriggerWebSocket {
		return g.maySend(ctx, draft.From, draft.To[0])
	}
	return nil
}

func (g *Gateway) maySend(ctx context.Context, from, to string) error {
	if g.opt.Authorizer == nil {
		return nil
	}
	return g.opt.Authorizer.MaySend(ctx, from, to)
}

// Recall blanks a message and tells every device of its conversation. by has to be its sender, within RecallWindow,
// unless force. Refused with not_found, forbidden, conflict.
func (g *Gateway) Recall(ctx context.Context, by string, force bool, id MessageID) error {
	return g.recall(ctx, by, "", force, id)
}

func (g *Gateway) recall(ctx context.Context, by, device string, force bool, id MessageID) error {
	op := &Recall{
		Seq: id.Seq, By: by, Force: force, Window: int64(max(0, millis(g.opt.RecallWindow))),
		Record: Record{
			Conversation: id.Conversation, Kind: KindRecall, Sender: by, SenderDevice: device,
			RequestID: protocol.NewRequestID(), Node: g.opt.NodeID, CreatedAt: g.now(), Target: id.Seq,
			Trigger: protocol.TriggerREST,
		},
	}
	if err := g.covered(ctx, by, force, id); err != nil {
		return err
	}
	return g.writeThen(ctx, op, func(d *dispatcher) {
		if !op.Duplicate {
			d.deliver(&op.Record, op.Members, "")
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

// Message returns the whole life of a message. viewer is the openid that asks; empty may see all. not_found also for what
// the viewer has no stay for.
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
	receipts, err := g.store.ReceiptsOf(ctx, id)
	if err != nil {
		return MessageLife{}, err
	}
	recipients, err := g.recipients(ctx, rec)
	if err != nil {
		return MessageLife{}, err
	}
	life := MessageLife{Record: *rec, State: "stored"}
	all := len(recipients) > 0
	for _, user := range recipients {
		one := recipientLife(user, receipts)
		all = all && one.State == "delivered"
		life.Recipients = append(life.Recipients, one)
	}
	switch {
	case rec.RecalledAt != 0:
		life.State = "recalled"
	case all:
		life.State = "delivered"
	case expired(rec, g.now()):
		life.State = "expired"
	}
	return life, nil
}

// recipients returns the members a message was addressed to: all who are in the conversation, but not its sender.
func (g *Gateway) recipients(ctx context.Context, rec *Record) ([]string, error) {
	conversation, err := g.store.Conversation(ctx, rec.Conversation)
	if err != nil {
		return nil, err
	}
	if conversation.Kind == Direct {
		return []string{conversation.Peer(rec.Sender)}, nil
	}
	members, err := g.store.Members(ctx, rec.Conversation)
	if err != nil {
		return nil, err
	}
	var users []string
	for i := range members {
		if members[i].User != rec.Sender && members[i].Covers(rec.Seq) {
			users = append(users, members[i].User)
		}
	}
	return users, nil
}

func recipientLife(user string, receipts []Receipt) RecipientLife {
	life := RecipientLife{OpenID: user, State: "stored"}
	for _, r := range receipts {
		if r.User != user {
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
	return life
}
