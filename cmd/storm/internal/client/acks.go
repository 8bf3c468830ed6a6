package client

import (
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	shuffleCount = 6                      // acknowledgements sent together in random order
	shuffleWait  = 400 * time.Millisecond // and how long the first of them waits at most
	throughCount = 8                      // messages acknowledged together by upTo
	throughWait  = 200 * time.Millisecond
	lateMean     = 700 * time.Millisecond // mean delay of a late acknowledgement
	calmWait     = 50 * time.Millisecond  // delay of any once it is calm
	confirmAfter = 3 * time.Second        // when an acknowledgement without a 16 is repeated in the end
)

// ack is an acknowledgement of one message, or of all up to it.
type ack struct {
	position  history.Position
	msgid     string
	from      string
	messageID string
	through   bool
	at        time.Time // when it is to be sent; once it is unconfirmed, when it was
}

// planAck decides when and how a message that just came is acknowledged.
func (d *Device) planAck(a ack) {
	now := time.Now()
	a.at = now
	switch d.Habits.Ack {
	case AckMarks:
		if d.unconfirmed[a.position] == nil {
			d.unconfirmed[a.position] = &a
		}
		return
	case AckThrough:
		a.at = now.Add(throughWait)
		a.through = true
	case AckLate:
		a.at = now.Add(d.around(lateMean))
	case AckShuffled:
		a.at = now.Add(shuffleWait)
	}
	if d.calm.Load() {
		a.at = now.Add(min(calmWait, a.at.Sub(now)))
	}
	d.acks = append(d.acks, a)
	d.hurry(now)
}

// hurry lets a batch go before its time when enough wait.
func (d *Device) hurry(now time.Time) {
	limit := len(d.acks) + 1
	switch d.Habits.Ack {
	case AckShuffled:
		limit = shuffleCount
	case AckThrough:
		limit = throughCount
	}
	if len(d.acks) < limit {
		return
	}
	for i := range d.acks {
		d.acks[i].at = now
	}
}

// dueAcks appends the acknowledgements whose time has come. The caller holds the device's lock.
func (s *session) dueAcks(frames [][]byte, now time.Time) [][]byte {
	d := s.d
	var ready, rest []ack
	for _, a := range d.acks {
		if a.at.After(now) {
			rest = append(rest, a)
		} else {
			ready = append(ready, a)
		}
	}
	d.acks = rest
	if d.Habits.Ack == AckShuffled {
		d.rand.Shuffle(len(ready), func(i, j int) { ready[i], ready[j] = ready[j], ready[i] })
	}
	for i := range ready {
		frames = s.acknowledge(frames, &ready[i], now)
	}
	if d.calm.Load() {
		frames = s.repeatAcks(frames, now)
	}
	return frames
}

func (s *session) acknowledge(frames [][]byte, a *ack, now time.Time) [][]byte {
	a.at = now
	s.d.unconfirmed[a.position] = a
	if a.through {
		return s.acknowledgeThrough(frames, a)
	}
	s.d.Log.Add(history.Event{Kind: history.AckSent, Device: s.d.Device, Position: a.position})
	name := a.msgid
	if s.d.Habits.Ack == AckByID || a.from == s.d.Device.User || name == "" {
		name = a.messageID // a recall has no msgid; of a copy of one's own, (fromUser, msgid) does not tell the conversation
	}
	params := object{"from": "client", "msgid": name, "fromUser": a.from, "toUser": s.d.Device.User}
	return append(frames, request(15, s.id(), params))
}

// acknowledgeThrough sends one cumulative acknowledgement up to the last message shown, unless one goes that far.
func (s *session) acknowledgeThrough(frames [][]byte, a *ack) [][]byte {
	p := s.d.place(a.position.Conversation)
	if p.acked >= p.last {
		return frames
	}
	p.acked = p.last
	at := history.Position{Conversation: a.position.Conversation, Seq: p.last}
	s.d.Log.Add(history.Event{Kind: history.AckSent, Device: s.d.Device, Position: at, Through: true})
	return append(frames, request(15, s.id(), object{"conversationId": at.Conversation, "upTo": at.Seq}))
}

// repeatAcks repeats, once it is calm, what got no 16: repeating is harmless, and everything has to be recorded in the end.
func (s *session) repeatAcks(frames [][]byte, now time.Time) [][]byte {
	for _, a := range s.d.unconfirmed {
		if s.d.Habits.Ack == AckMarks || now.Sub(a.at) < confirmAfter {
			continue
		}
		if a.through {
			s.d.place(a.position.Conversation).acked = 0
		}
		frames = s.acknowledge(frames, a, now)
	}
	return frames
}

// recorded takes a 16.
func (d *Device) recorded(params *fields) {
	if params.ConversationID != "" {
		d.recordedThrough(history.Position{Conversation: params.ConversationID, Seq: params.UpTo})
		return
	}
	for at, a := range d.unconfirmed {
		if a.msgid == params.Message || a.messageID == params.Message {
			d.Log.Add(history.Event{Kind: history.Acked, Device: d.Device, Position: at})
			delete(d.unconfirmed, at)
			return
		}
	}
	// A repeat of one that is recorded already names a message this device was shown: nothing is left to note.
}

// recordedThrough notes that everything shown up to there is recorded.
func (d *Device) recordedThrough(upTo history.Position) {
	d.Log.Add(history.Event{Kind: history.Acked, Device: d.Device, Position: upTo, Through: true})
	for at := range d.unconfirmed {
		if at.Conversation == upTo.Conversation && at.Seq <= upTo.Seq {
			delete(d.unconfirmed, at)
		}
	}
}
