package wstest

import (
	"fmt"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// What random ops are about: few enough of each that they meet. The last users are not known at the start.
var (
	randomUsers   = []string{"ann", "bob", "cid", "dot", "eve", "fay"}
	randomDevices = []string{"phone", "web", "~tab"}
	randomGroups  = []string{"g1", "g2"}
	randomMsgIDs  = []string{"", "", "m1", "m2", "m3"}
	randomBodies  = []string{"hello", "a longer body, so that pages end in different places", ""}
)

// conversationRef names a conversation in both stores.
type conversationRef struct {
	kind ws.ConversationKind
	key  string
}

// id finds the conversation in a store; while it is not there, an id that none has. A direct conversation that only
// waits for a scheduled message may be there or not.
func (v view) id(ref conversationRef) ws.ConversationID {
	c, err := v.FindConversation(v.ctx, ref.kind, ref.key)
	if err != nil || (ref.kind == ws.Direct && c.Last == 0) {
		return 1 << 50
	}
	return c.ID
}

// last returns the newest seq of a conversation; 0 while it is not there.
func (v view) last(ref conversationRef) uint64 {
	c, err := v.FindConversation(v.ctx, ref.kind, ref.key)
	if err != nil {
		return 0
	}
	return c.Last
}

func (p *pair) tick() ws.Millis {
	p.now += ws.Millis(1 + p.IntN(1000))
	return p.now
}

// known is a user who is known from the start, the first ones more often: ops have to meet to mean something.
func (p *pair) known() string { return randomUsers[min(p.IntN(4), p.IntN(4))] }

// user is anybody.
func (p *pair) user() string {
	if p.IntN(5) > 0 {
		return p.known()
	}
	return pick(p, randomUsers)
}

func (p *pair) device() string { return randomDevices[min(p.IntN(3), p.IntN(3), p.IntN(3))] }

func pick[T any](p *pair, from []T) T { return from[p.IntN(len(from))] }

// group names a group that was not dissolved, mostly; what may be done with one that was is not promised.
func (p *pair) group() conversationRef {
	for _, i := range p.Perm(len(randomGroups)) {
		if key := randomGroups[i]; !p.dissolved[key] {
			return conversationRef{ws.Group, key}
		}
	}
	return conversationRef{ws.Group, "no group"}
}

// talk names a conversation that user is likely to be in.
func (p *pair) talk(user string) conversationRef {
	switch p.IntN(7) {
	case 0:
		return conversationRef{ws.System, "system"}
	case 1, 2, 3:
		return p.group()
	default:
		return conversationRef{ws.Direct, ws.DirectKey(user, p.known())}
	}
}

// action chooses what happens next.
func (p *pair) action() action {
	switch n := p.IntN(100); {
	case n < 24:
		return p.sending()
	case n < 52:
		return p.acknowledging()
	case n < 59:
		return p.opening()
	case n < 61:
		return p.dropping()
	case n < 64:
		return p.recallingOne()
	case n < 67:
		return p.grouping()
	case n < 75:
		return p.changingGroup()
	case n < 78:
		return p.reading()
	case n < 84:
		return p.schedulingOne()
	case n < 90:
		return p.firing()
	case n < 92:
		return p.purging()
	case n < 93:
		return p.putting()
	case n < 96:
		return p.accounting()
	default:
		return p.relaying()
	}
}

// message is the record of a message to be sent.
func (p *pair) message(sender string) ws.Record {
	at := p.tick()
	return ws.Record{
		Kind: ws.KindMessage, Sender: sender, SenderDevice: p.device(), MsgID: pick(p, randomMsgIDs),
		RequestID: [16]byte{byte(p.IntN(256))}, Node: "node-1", Body: pick(p, randomBodies), FileType: uint8(p.IntN(5)),
		Trigger: protocol.TriggerWebSocket, CreatedAt: at, ExpireAt: at + ws.Millis(p.IntN(3)),
	}
}

func (p *pair) events(n int) []ws.Event {
	var events []ws.Event
	for i := range p.IntN(n) {
		events = append(events, ws.Event{
			Topic: "topic", Key: fmt.Sprint(p.now, i), Payload: []byte{byte(i), 1}, State: pick(p, []ws.EventState{ws.EventPending, ws.EventScheduled}),
			NextAttemptAt: p.now,
		})
	}
	return events
}

func (p *pair) sending() action {
	sender, to := p.user(), p.user()
	rec, events, createUsers := p.message(sender), p.events(3), p.IntN(8) == 0
	ref := conversationRef{}
	if p.IntN(3) == 0 {
		ref, to = p.group(), ""
		if p.IntN(4) == 0 {
			ref = conversationRef{ws.System, "system"}
		}
	}
	return action{fmt.Sprintf("send %s to %q %v msgid %q", sender, to, ref, rec.MsgID), func(v view) ws.Op {
		op := &ws.Send{
			To: to, CreateUsers: createUsers, SenderName: "name of " + sender, Hash: contentHash(rec.Body), Record: rec, Events: withEvents(events...),
		}
		if to == "" {
			op.Group = v.id(ref)
		}
		return op
	}}
}

// acknowledging acknowledges some seq or run, or moves the cursor only, now and then past the head.
func (p *pair) acknowledging() action {
	user, device := p.known(), p.device()
	ref, at, events := p.talk(user), p.tick(), p.events(2)
	fraction, length, attempts, only, ahead := p.Float64(), p.Uint64N(3), uint32(p.IntN(2)), p.IntN(6) == 0, p.IntN(2) == 0
	beyond := uint64(0)
	if p.IntN(8) == 0 {
		beyond = 1 + p.Uint64N(3)
	}
	return action{fmt.Sprintf("ack %s %s %v %.2f+%d", user, device, ref, fraction, beyond), func(v view) ws.Op {
		last := v.last(ref)
		from := 1 + uint64(fraction*float64(last))
		op := &ws.Ack{
			User: user, Device: device, Conversation: v.id(ref), From: from, To: min(from+length, max(last, 1)) + beyond,
			Attempts: attempts, Node: "node-1", At: at, Events: events,
		}
		op.To = max(op.To, op.From)
		if ahead {
			op.Cursor, op.Due = op.To, op.To
		}
		if only {
			op.From, op.To, op.Cursor, op.Due = 0, 0, op.To, 0
		}
		return op
	}}
}

func (p *pair) opening() action {
	user, device, at := p.user(), p.device(), p.tick()
	limit, idle := p.IntN(3), p.now-ws.Millis(p.IntN(50_000))
	mark := p.IntN(6) // half of them show a token
	return action{fmt.Sprintf("open %s %s limit %d token %d", user, device, limit, mark), func(view) ws.Op {
		op := &ws.OpenDevice{User: user, Name: "name of " + user, Device: device, At: at, FirstEpoch: uint64(at), MaxDevices: limit, IdleSince: idle}
		if mark < 3 {
			token := ws.Token{Hash: [32]byte{byte(mark), user[0]}, OpenID: user, ExpiresAt: 99}
			op.Accept = &ws.AcceptToken{Token: token, Name: op.Name, IssuedAt: at - 5_000, At: at}
		}
		return op
	}}
}

// dropping drops a device by the epoch it has before the batch, or by an older one.
func (p *pair) dropping() action {
	user, device, stale := p.user(), p.device(), uint64(p.IntN(3)/2)
	return action{fmt.Sprintf("drop %s %s stale %d", user, device, stale), func(v view) ws.Op {
		op := &ws.DropDevice{User: user, Device: device, Epoch: 1 << 40}
		devices, err := v.Devices(v.ctx, user)
		for _, d := range devices {
			if err == nil && d.Name == device {
				op.Epoch = d.Epoch - stale
			}
		}
		return op
	}}
}

// recallingOne recalls as the sender or as an admin.
func (p *pair) recallingOne() action {
	ref, fraction, at, force := p.talk(p.known()), p.Float64(), p.tick(), p.IntN(3) == 0
	beyond := p.Uint64N(3) / 2 // what is sent in the same batch
	return action{fmt.Sprintf("recall %v %.2f+%d", ref, fraction, beyond), func(v view) ws.Op {
		op := &ws.Recall{Seq: 1 + uint64(fraction*float64(v.last(ref))) + beyond, By: "admin", Force: true, Record: ws.Record{
			Conversation: v.id(ref), Node: "node-1", CreatedAt: at,
		}}
		rec, err := v.Record(v.ctx, ws.MessageID{Conversation: op.Record.Conversation, Seq: op.Seq})
		if err == nil && !force {
			op.By, op.Force = rec.Sender, false
		}
		return op
	}}
}

func (p *pair) grouping() action {
	ref, by, others, at := p.group(), p.known(), []string{p.user(), p.known()}, p.tick()
	return action{fmt.Sprintf("group %v by %s with %v", ref, by, others), func(view) ws.Op {
		return &ws.CreateGroup{Key: ref.key, Name: "group", By: by, Users: others, Record: ws.Record{
			Sender: by, Node: "node-1", CreatedAt: at,
		}}
	}}
}

func (p *pair) changingGroup() action {
	kind, subject, body := ws.KindJoined, p.user(), ""
	switch p.IntN(5) {
	case 0, 1:
		kind, subject = ws.KindLeft, p.known()
	case 2:
		kind, subject, body = ws.KindRenamed, "", fmt.Sprint("name ", p.IntN(10))
	}
	ref, rec := p.group(), ws.Record{Kind: kind, Sender: p.known(), Subject: subject, Body: body, Node: "node-1", CreatedAt: p.tick()}
	return action{fmt.Sprintf("change %v kind %d of %s", ref, kind, subject), func(v view) ws.Op {
		return &ws.Change{Conversation: v.id(ref), Record: rec}
	}}
}

// dissolve ends a group, as the last action of its batch.
func (p *pair) dissolve() action {
	ref, rec := p.group(), ws.Record{Kind: ws.KindDissolved, Sender: p.known(), Node: "node-1", CreatedAt: p.tick()}
	p.dissolved[ref.key] = true
	return action{fmt.Sprintf("dissolve %v", ref), func(v view) ws.Op {
		return &ws.Change{Conversation: v.id(ref), Record: rec}
	}}
}

func (p *pair) reading() action {
	user := p.known()
	ref := conversationRef{ws.Direct, ws.DirectKey(user, p.user())}
	fraction := p.Float64() * 1.1
	return action{fmt.Sprintf("read %s %v %.2f", user, ref, fraction), func(v view) ws.Op {
		return &ws.MarkRead{User: user, Conversation: v.id(ref), Seq: uint64(fraction * float64(v.last(ref)))}
	}}
}
