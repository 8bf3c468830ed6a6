package client

import (
	"strconv"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	// marksEvery is how often a client syncs that acknowledges by marks alone, and any other once it is calm and
	// something is missing.
	marksEvery = 700 * time.Millisecond
	calmEvery  = 2 * time.Second
	// maxPending bounds the messages one sync asks about.
	maxPending = 500
)

// syncAsked is what one frame 28 said, until its 29 comes.
type syncAsked struct {
	marks []history.Position
	asked int
}

// dueSync appends a sync: at the start of a session, and when it is time for another one. Old clients know no sync.
func (s *session) dueSync(frames [][]byte, now time.Time) [][]byte {
	d := s.d
	if !d.Habits.V1 || s.syncAt.IsZero() || now.Before(s.syncAt) {
		return frames
	}
	first := s.nextID == 0
	s.syncAt = now.Add(calmEvery)
	if d.Habits.Ack == AckMarks {
		s.syncAt = now.Add(marksEvery)
	}
	// Half of the clients come back without marks, so that the server shows again what was not acknowledged.
	withMarks := d.Habits.Ack == AckMarks || first && d.chance(0.5) || d.calm.Load()
	withPending := first || d.calm.Load()
	if !withMarks && !withPending {
		return frames
	}
	params := object{}
	asked := syncAsked{}
	if withMarks {
		asked.marks = d.marks(params)
	}
	if withPending {
		d.pending(params)
	}
	if len(params) == 0 {
		return frames
	}
	asked.asked = d.Log.Len()
	id := s.id()
	s.syncs[id] = asked
	return append(frames, request(28, id, params))
}

// marks says how far this device has shown each conversation that is not acknowledged up to there.
func (d *Device) marks(params object) []history.Position {
	marks := object{}
	var list []history.Position
	for conversation, p := range d.places {
		if p.last == 0 {
			continue
		}
		at := history.Position{Conversation: conversation, Seq: p.last}
		marks[conversation] = p.last
		list = append(list, at)
		d.Log.Add(history.Event{Kind: history.AckSent, Device: d.Device, Position: at, Through: true})
	}
	if len(list) > 0 {
		params["conversations"] = marks
	}
	return list
}

// pending asks about what was accepted and has no 17.
func (d *Device) pending(params object) {
	var ids []string
	for _, m := range d.unproved {
		if len(ids) < maxPending {
			ids = append(ids, m.messageID)
		}
	}
	if len(ids) > 0 {
		params["pending"] = ids
	}
}

// synced takes a 29.
func (s *session) synced(in *inbound, params *fields) {
	id, err := strconv.Atoi(string(in.ID))
	asked, known := s.syncs[id]
	if err != nil || !known {
		s.d.unexpected("29 with the id " + string(in.ID))
		return
	}
	delete(s.syncs, id)
	if params.Reset && !s.newDevice {
		s.d.unexpected("29 says reset to a device that the server knew")
	}
	s.d.takenMarks(asked.marks, params.Errors)
	for _, list := range []struct {
		kind history.Kind
		ids  []string
	}{{history.Waiting, params.Waiting}, {history.Gone, params.Gone}} {
		for _, id := range list.ids {
			at := positionOf(id)
			s.d.Log.Add(history.Event{Kind: list.kind, Device: s.d.Device, Position: at, Asked: asked.asked})
			if list.kind == history.Gone {
				delete(s.d.unproved, at)
			}
		}
	}
}

func (d *Device) takenMarks(marks []history.Position, refused []markError) {
	bad := map[string]string{}
	for _, e := range refused {
		bad[e.ConversationID] = e.Code
	}
	for _, at := range marks {
		if code, ok := bad[at.Conversation]; ok {
			d.Log.Add(history.Event{Kind: history.MarkRefused, Device: d.Device, Position: at, Note: code})
			continue
		}
		d.recordedThrough(at)
	}
}
