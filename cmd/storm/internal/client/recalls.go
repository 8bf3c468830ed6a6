package client

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// recallMean is the mean time between a 0 and the recall: some are shown before, some are still on their way.
const recallMean = 300 * time.Millisecond

// recall is a message of this device that is taken back, until that is answered.
type recall struct {
	message *message
	door    history.Door
	at      time.Time // not before
	session int       // in which it was last asked for
}

// planRecall decides whether a message that got its 0 is taken back.
func (d *Device) planRecall(m *message) {
	if !d.chance(d.Habits.Recalls) {
		return
	}
	r := &recall{message: m, at: time.Now().Add(d.around(recallMean))}
	if !d.Habits.V1 || d.chance(0.5) {
		r.door = history.REST
	}
	d.recalls = append(d.recalls, r)
}

// dueRecalls appends the recalls whose time has come, and those that a connection took down with it.
func (s *session) dueRecalls(frames [][]byte, now time.Time) [][]byte {
	for _, r := range s.d.recalls {
		if r.door == history.REST || now.Before(r.at) || r.session == s.n {
			continue
		}
		r.session = s.n
		s.d.noteRecall(history.RecallSent, r)
		id := s.id()
		s.recalls[id] = r
		frames = append(frames, request(30, id, object{"messageId": r.message.messageID}))
	}
	return frames
}

// recallAnswered takes the answer to a 30.
func (s *session) recallAnswered(in *inbound, params *fields) {
	r := s.recallOf(in)
	if r == nil || r.message.messageID != params.MessageID {
		s.d.unexpected("30 with the id " + string(in.ID) + " for " + params.MessageID)
		return
	}
	s.d.recallDone(r)
}

// recallRefused takes a 500 if it answers a 30.
func (s *session) recallRefused(in *inbound, params *fields) bool {
	r := s.recallOf(in)
	if r == nil {
		return false
	}
	r.session = 0
	s.d.recallFailed(r, params.Code, !params.Temporary)
	return true
}

// recallOf returns the recall that a frame answers, once.
func (s *session) recallOf(in *inbound) *recall {
	id, err := strconv.Atoi(string(in.ID))
	if err != nil {
		return nil
	}
	r := s.recalls[id]
	delete(s.recalls, id)
	return r
}

// recallByREST asks once for each recall that is due.
func (d *Device) recallByREST(ctx context.Context) {
	d.mu.Lock()
	var due []*recall
	for _, r := range d.recalls {
		if r.door == history.REST && !time.Now().Before(r.at) {
			due = append(due, r)
		}
	}
	d.mu.Unlock()
	for _, r := range due {
		if ctx.Err() != nil {
			return
		}
		d.noteRecall(history.RecallSent, r)
		var answer struct {
			Error struct {
				Code string `json:"code"`
			} `json:"error"`
		}
		status, err := d.call(ctx, http.MethodDelete, "/api/v1/messages/"+r.message.messageID, http.Header{}, nil, &answer)
		if err != nil {
			continue // asked again at the next look
		}
		d.mu.Lock()
		if status == http.StatusOK {
			d.recallDone(r)
		} else {
			d.recallFailed(r, fmt.Sprintf("%d %s", status, answer.Error.Code), !again(status))
		}
		d.mu.Unlock()
	}
}

func (d *Device) noteRecall(kind history.Kind, r *recall) {
	d.Log.Add(history.Event{Kind: kind, Device: d.Device, Door: r.door, MsgID: r.message.id, Position: r.message.position})
}

func (d *Device) recallDone(r *recall) {
	d.noteRecall(history.Recalled, r)
	d.endRecall(r)
}

// recallFailed notes a refusal; the recall is asked for again later unless that is hopeless.
func (d *Device) recallFailed(r *recall, code string, final bool) {
	d.Log.Add(history.Event{
		Kind: history.RecallRefused, Device: d.Device, Door: r.door, MsgID: r.message.id, Position: r.message.position, Note: code, Final: final,
	})
	r.at = time.Now().Add(d.around(retryMean))
	if final {
		d.endRecall(r)
	}
}

func (d *Device) endRecall(r *recall) {
	for i, other := range d.recalls {
		if other == r {
			d.recalls = append(d.recalls[:i], d.recalls[i+1:]...)
			return
		}
	}
}
