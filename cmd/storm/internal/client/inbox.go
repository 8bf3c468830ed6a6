package client

import (
	"strconv"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// receive handles one frame of the server.
func (s *session) receive(data []byte) {
	in, kind, params, err := decode(data)
	if err != nil {
		s.d.unexpected("not a frame: " + err.Error())
		return
	}
	s.d.mu.Lock()
	defer s.d.mu.Unlock()
	if in.Msg != nil && (len(in.To) != 1 || in.To[0] != s.d.Device.User) {
		s.d.unexpected("frame " + kind + " to somebody else")
	}
	switch kind {
	case "0":
		s.d.answered(history.Socket, params)
	case "2", "31":
		s.d.show(&in, params)
	case "30":
		s.recallAnswered(&in, params)
	case "16":
		s.d.recorded(params)
	case "17":
		s.d.proved(history.Socket, params.MessageID, history.Device{User: string(params.ToUser), Name: params.Device})
		if in.MessageID != params.MessageID {
			s.d.unexpected("17 names two messages: " + in.MessageID + " and " + params.MessageID)
		}
	case "29":
		s.synced(&in, params)
	case "500":
		if !s.recallRefused(&in, params) {
			s.d.failed(params)
		}
	default:
		s.d.unexpected("frame " + kind)
	}
	s.d.stir()
}

// show shows a message, or that one was recalled, unless this device has shown its position already, and acknowledges
// it either way.
func (d *Device) show(in *inbound, params *fields) {
	at := history.Position{Conversation: params.ConversationID, Seq: params.Seq}
	if conversation, seq, ok := splitID(in.MessageID); !ok || conversation != at.Conversation || seq != at.Seq {
		d.unexpected("message " + in.MessageID + " does not stand at " + at.Conversation + ":" + strconv.FormatUint(at.Seq, 10))
		return
	}
	p := d.place(at.Conversation)
	event := history.Event{
		Kind: history.Shown, Device: d.Device, From: string(params.FromUser), MsgID: params.MsgID, Body: params.Message,
		Position: at, PrevSeq: params.PrevSeq,
	}
	from := params.FromUser
	if params.Recalled != "" {
		from = params.By
		event.From, event.Target = string(from), positionOf(params.Recalled)
	}
	if p.shown[at.Seq] {
		event.Kind = history.Repeated
	}
	d.Log.Add(event)
	p.shown[at.Seq] = true
	p.last = max(p.last, at.Seq)
	d.planAck(ack{position: at, msgid: params.MsgID, from: string(from), messageID: in.MessageID})
}

// answered takes a 0, through either door.
func (d *Device) answered(door history.Door, params *fields) {
	at := history.Position{Conversation: params.ConversationID, Seq: params.Seq}
	d.Log.Add(history.Event{
		Kind: history.Accepted, Device: d.Device, Door: door, MsgID: params.MsgID, Position: at, Duplicate: params.Duplicate,
	})
	if conversation, seq, ok := splitID(params.MessageID); !ok || conversation != at.Conversation || seq != at.Seq {
		d.unexpected("0 names " + params.MessageID + " and another position")
	}
	m := d.messages[params.MsgID]
	if m == nil || m.position.Seq != 0 {
		return
	}
	m.position, m.messageID, m.acceptedAt = at, params.MessageID, time.Now()
	d.settle(m)
	if !d.hasProof[at] {
		d.unproved[at] = m
	}
	d.planRecall(m)
	if d.chance(d.Habits.Repeats) {
		d.repeats = append(d.repeats, m)
	}
}

// proved takes a 17, or what REST says in its place. The proof of a message sent by REST may overtake its answer.
func (d *Device) proved(door history.Door, messageID string, by history.Device) {
	at := positionOf(messageID)
	d.Log.Add(history.Event{Kind: history.Proved, Device: d.Device, Door: door, Position: at, By: by})
	d.hasProof[at] = true
	delete(d.unproved, at)
}

// failed takes a 500. Refused sends are tried again if that can help; acknowledgements are repeated anyway.
func (d *Device) failed(params *fields) {
	if d.messages[params.MsgID] != nil {
		d.refused(history.Socket, params.MsgID, params.Code, !params.Temporary)
		return
	}
	if !params.Temporary {
		d.unexpected("500 " + params.Code + " " + params.Message + " " + params.MsgID)
	}
}
