package client

import (
	"fmt"
	"strings"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	// answerAfter is how long a client waits for a 0 before it sends again on the same connection.
	answerAfter = 15 * time.Second
	// retryMean is the mean wait after a temporary refusal.
	retryMean = 300 * time.Millisecond
)

// dueRepeats appends the messages that a connection took down with it before they were answered, and some that were.
func (s *session) dueRepeats(frames [][]byte, now time.Time) [][]byte {
	d := s.d
	for _, m := range d.unanswered {
		if m.session == s.n && now.Sub(m.sentAt) < answerAfter || now.Before(m.notBefore) {
			continue
		}
		frames = append(frames, s.send(m, now))
	}
	for _, m := range d.repeats {
		frames = append(frames, s.send(m, now))
	}
	d.repeats = nil
	return frames
}

// dueSends appends new messages, in bursts, as far as InFlight and the tickets allow.
func (s *session) dueSends(frames [][]byte, now time.Time) [][]byte {
	d := s.d
	if d.left == 0 && !now.Before(d.nextSend) {
		d.left = 1 + d.rand.IntN(max(1, d.Habits.Burst))
		d.nextSend = now.Add(d.around(d.Habits.Pause))
	}
	for d.left > 0 && len(d.unanswered) < max(1, d.Habits.InFlight) {
		if !d.Ticket() {
			d.left = 0
			break
		}
		d.left--
		m := d.compose()
		if d.chance(d.Habits.RESTShare) && !d.restBusy {
			d.byREST(m)
			continue
		}
		d.unanswered = append(d.unanswered, m)
		frames = append(frames, s.send(m, now))
	}
	return frames
}

// compose makes a message whose text tells it from every other.
func (d *Device) compose() *message {
	d.count++
	id := fmt.Sprintf("%s-%s-%d", d.Device.User, d.Device.Name, d.count)
	to := d.Peers[0]
	if len(d.Peers) > 1 && d.chance(d.Habits.CrossShare) {
		to = d.Peers[1+d.rand.IntN(len(d.Peers)-1)]
	}
	size := d.rand.IntN(200)
	if d.chance(0.01) {
		size = d.rand.IntN(16 << 10)
	}
	m := &message{id: id, to: to, body: id + " " + child.BodyMark + strings.Repeat("·", size/2) + "»"}
	d.messages[id] = m
	return m
}

func (s *session) send(m *message, now time.Time) []byte {
	m.session, m.sentAt = s.n, now
	s.d.noteSent(history.Socket, m)
	params := object{"toMessageId": m.to, "message": m.body, "fileType": 0, "msgid": m.id}
	return request(1, s.id(), params)
}

func (d *Device) noteSent(door history.Door, m *message) {
	d.Log.Add(history.Event{Kind: history.Sent, Device: d.Device, Door: door, MsgID: m.id, To: m.to, Body: m.body, Delay: time.Duration(m.delay) * time.Second})
}

// settle takes an answered message off the list.
func (d *Device) settle(m *message) {
	for i, other := range d.unanswered {
		if other == m {
			d.unanswered = append(d.unanswered[:i], d.unanswered[i+1:]...)
			return
		}
	}
}

// refused notes a refusal; the message is sent again later unless that is hopeless.
func (d *Device) refused(door history.Door, msgid, code string, final bool) {
	d.Log.Add(history.Event{Kind: history.Refused, Device: d.Device, Door: door, MsgID: msgid, Note: code, Final: final})
	m := d.messages[msgid]
	if final {
		d.settle(m)
		return
	}
	m.notBefore = time.Now().Add(d.around(retryMean))
	m.session = 0
}
