package history

import (
	"fmt"
	"slices"
	"strings"
)

var kindNames = [kinds]string{
	Connected: "connected", Disconnected: "disconnected", GaveUp: "gives up connecting", Sent: "sent", Accepted: "accepted (0)", Refused: "refused (500)",
	Scheduled: "scheduled", Cancelled: "cancelled",
	Shown: "shown (2)", Repeated: "came again (2), dropped", AckSent: "acknowledges (15)", Acked: "recorded (16)",
	Proved: "proof (17)", Waiting: "waiting (29)", Gone: "gone (29)", MarkRefused: "mark refused (29)", Life: "life (REST)",
	RecallSent: "recalls", Recalled: "recalled", RecallRefused: "recall refused", Read: "reads in history", ReadAll: "has read its histories", Unexpected: "unexpected", Struck: "FAULT", Down: "down", Mending: "mending", Mended: "mended",
}

// String returns the event on one line, without the body.
func (e *Event) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%9.3fs %-24s", e.At.Seconds(), kindNames[e.Kind])
	if e.Device.User != "" {
		fmt.Fprintf(&b, " %s", e.Device)
	}
	if e.MsgID != "" {
		fmt.Fprintf(&b, " %s", e.MsgID)
	}
	if e.To != "" {
		fmt.Fprintf(&b, " to %s", e.To)
	}
	if e.Position.Seq > 0 {
		fmt.Fprintf(&b, " %s:%d", e.Position.Conversation, e.Position.Seq)
	}
	if e.PrevSeq > 0 {
		fmt.Fprintf(&b, " after %d", e.PrevSeq)
	}
	if e.Target.Seq > 0 {
		fmt.Fprintf(&b, " recalls %d", e.Target.Seq)
	}
	if e.By.User != "" {
		fmt.Fprintf(&b, " by %s", e.By)
	}
	for _, mark := range []struct {
		set  bool
		word string
	}{{e.Door == REST, "REST"}, {e.Through, "up to there"}, {e.Duplicate, "duplicate"}, {e.New, "new"}} {
		if mark.set {
			b.WriteString(" " + mark.word)
		}
	}
	if e.Node > 0 {
		fmt.Fprintf(&b, " node %d", e.Node)
	}
	if e.Code > 0 {
		fmt.Fprintf(&b, " %d", e.Code)
	}
	if e.Note != "" {
		b.WriteString(" " + e.Note)
	}
	return b.String()
}

// Story returns up to limit lines about a violation: what happened to its message, and between the first and the last of
// that, when the device concerned came and went and what went wrong. Of a longer story the middle is left out.
func Story(events []Event, v Violation, limit int) []string {
	first, last := v.span(events)
	var lines []string
	for i := first; i <= last; i++ {
		if e := &events[i]; v.concerns(e) || v.surrounds(e) {
			lines = append(lines, e.String())
		}
	}
	if cut := len(lines) - limit; cut > 0 {
		lines = slices.Replace(lines, limit/2, limit/2+cut, fmt.Sprintf("… %d more", cut))
	}
	return lines
}

// span returns the first event that concerns the violation, and the last one or the one that showed it.
func (v *Violation) span(events []Event) (first, last int) {
	last = -1
	for i := range events {
		if !v.concerns(&events[i]) {
			continue
		}
		if last < 0 {
			first = i
		}
		last = i
	}
	return first, max(last, v.event-1)
}

// concerns reports whether e is about the violation's message, or, where there is none, about its device.
func (v *Violation) concerns(e *Event) bool {
	switch {
	case v.MsgID == "" && v.Position.Seq == 0:
		return e.Device == v.Device && (e.Kind == Connected || e.Kind == Unexpected)
	case e.Through:
		return e.Position.Conversation == v.Position.Conversation && e.Position.Seq >= v.Position.Seq && e.Position.Seq < v.Position.Seq+nearby
	}
	return v.MsgID != "" && e.MsgID == v.MsgID || v.Position.Seq > 0 && (e.Position == v.Position || e.Target == v.Position)
}

// nearby is how far past a message a cumulative acknowledgement is still worth telling.
const nearby = 10

func (v *Violation) surrounds(e *Event) bool {
	switch e.Kind {
	case Struck, Down, Mending, Mended:
		return true
	case Connected, Disconnected, GaveUp:
		return e.Device == v.Device
	}
	return false
}
