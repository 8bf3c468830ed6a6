package history

import (
	"fmt"
	"slices"
	"strings"
)

var kindNames = [Started + 1]string{
	Connected: "connected", Disconnected: "disconnected", Sent: "sent", Accepted: "accepted (0)", Refused: "refused (500)",
	Shown: "shown (2)", Repeated: "came again (2), dropped", AckSent: "acknowledges (15)", Acked: "recorded (16)",
	Proved: "proof (17)", Waiting: "waiting (29)", Gone: "gone (29)", MarkRefused: "mark refused (29)", Life: "life (REST)",
	Unexpected: "unexpected", Killed: "SERVER KILLED", Started: "server started",
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
	if e.Note != "" {
		b.WriteString(" " + e.Note)
	}
	return b.String()
}

// Story returns up to limit lines about a fault: what happened to its message, and between the first and the last of
// that, when the device concerned came and went and the server died. Of a longer story the middle is left out.
func Story(events []Event, f Fault, limit int) []string {
	first, last := f.span(events)
	var lines []string
	for i := first; i <= last; i++ {
		if e := &events[i]; f.concerns(e) || f.surrounds(e) {
			lines = append(lines, e.String())
		}
	}
	if cut := len(lines) - limit; cut > 0 {
		lines = slices.Replace(lines, limit/2, limit/2+cut, fmt.Sprintf("… %d more", cut))
	}
	return lines
}

// span returns the first and the last event that concern the fault.
func (f *Fault) span(events []Event) (first, last int) {
	last = -1
	for i := range events {
		if !f.concerns(&events[i]) {
			continue
		}
		if last < 0 {
			first = i
		}
		last = i
	}
	return first, last
}

// concerns reports whether e is about the fault's message, or, where there is none, about its device.
func (f *Fault) concerns(e *Event) bool {
	switch {
	case f.MsgID == "" && f.Position.Seq == 0:
		return e.Device == f.Device && (e.Kind == Connected || e.Kind == Unexpected)
	case e.Through:
		return e.Position.Conversation == f.Position.Conversation && e.Position.Seq >= f.Position.Seq && e.Position.Seq < f.Position.Seq+nearby
	}
	return f.MsgID != "" && e.MsgID == f.MsgID || f.Position.Seq > 0 && e.Position == f.Position
}

// nearby is how far past a message a cumulative acknowledgement is still worth telling.
const nearby = 10

func (f *Fault) surrounds(e *Event) bool {
	switch e.Kind {
	case Killed, Started:
		return true
	case Connected, Disconnected:
		return e.Device == f.Device
	}
	return false
}
