package history

import (
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	rose     = Device{"rose", "web"}
	roseTwo  = Device{"rose", "phone"}
	jack     = Device{"jack", "web"}
	jackTwo  = Device{"jack", "phone"}
	stranger = Device{"eve", "web"}
)

const talk = "00000000000000aa"

func at(seq uint64) Position { return Position{talk, seq} }

func connected(d Device) Event { return Event{Kind: Connected, Device: d, New: true, V1: true} }

func sent(d Device, msgid string) Event {
	return Event{Kind: Sent, Device: d, MsgID: msgid, To: peer(d), Body: "text of " + msgid}
}

func peer(d Device) string {
	if d.User == "rose" {
		return "jack"
	}
	return "rose"
}

func accepted(d Device, msgid string, seq uint64) Event {
	return Event{Kind: Accepted, Device: d, MsgID: msgid, Position: at(seq)}
}

func repeated(d Device, msgid string, seq uint64) Event {
	return Event{Kind: Accepted, Device: d, MsgID: msgid, Position: at(seq), Duplicate: true}
}

func shown(d Device, from, msgid string, seq uint64) Event {
	return Event{Kind: Shown, Device: d, From: from, MsgID: msgid, Body: "text of " + msgid, Position: at(seq), PrevSeq: seq - 1}
}

func ack(d Device, seq uint64) Event   { return Event{Kind: AckSent, Device: d, Position: at(seq)} }
func acked(d Device, seq uint64) Event { return Event{Kind: Acked, Device: d, Position: at(seq)} }
func ackTo(d Device, seq uint64) Event {
	return Event{Kind: AckSent, Device: d, Position: at(seq), Through: true}
}

func ackedTo(d Device, seq uint64) Event {
	return Event{Kind: Acked, Device: d, Position: at(seq), Through: true}
}

func proof(d, by Device, seq uint64) Event {
	return Event{Kind: Proved, Device: d, By: by, Position: at(seq)}
}

// loop is the whole life of one message from rose to jack.
func loop(msgid string, seq uint64) []Event {
	return []Event{
		sent(rose, msgid), accepted(rose, msgid, seq), shown(jack, "rose", msgid, seq),
		ack(jack, seq), acked(jack, seq), proof(rose, jack, seq),
	}
}

// story joins events and lists of events.
func story(parts ...any) []Event {
	var events []Event
	for _, part := range parts {
		switch part := part.(type) {
		case Event:
			events = append(events, part)
		case []Event:
			events = append(events, part...)
		}
	}
	return events
}

func TestCheck_Faultless(t *testing.T) {
	both := story(connected(rose), connected(jack))
	for name, events := range map[string][]Event{
		"the six frames": story(both, loop("m1", 1), loop("m2", 2)),
		"killed, repeated, dropped": story(both, sent(rose, "m1"), killed(1), connectedAgain(rose), connectedAgain(jack),
			sent(rose, "m1"), shown(jack, "rose", "m1", 1), repeated(rose, "m1", 1),
			Event{Kind: Repeated, Device: jack, From: "rose", MsgID: "m1", Body: "text of m1", Position: at(1)},
			ack(jack, 1), acked(jack, 1), proof(rose, jack, 1)),
		"cumulative": story(both, sent(rose, "m1"), sent(rose, "m2"), shown(jack, "rose", "m1", 1), shown(jack, "rose", "m2", 2),
			accepted(rose, "m1", 1), accepted(rose, "m2", 2), ackTo(jack, 2), ackedTo(jack, 2), proof(rose, jack, 1), proof(rose, jack, 2)),
		"a device that came later": story(both, loop("m1", 1), connected(jackTwo), loop("m2", 2),
			shown(jackTwo, "rose", "m2", 2), ack(jackTwo, 2), acked(jackTwo, 2)),
		"the sender's other device": story(both, connected(roseTwo), loop("m1", 1), shown(roseTwo, "rose", "m1", 1), ack(roseTwo, 1), acked(roseTwo, 1)),
		"refused, then sent again behind a later one": story(both, sent(rose, "m1"), sent(rose, "m2"),
			Event{Kind: Refused, Device: rose, MsgID: "m1", Note: "overloaded"},
			loop("m2", 1)[1:], loop("m1", 2)),
		"asked before anybody acknowledged": story(both, loop("m1", 1)[:4], asked(4, 1), asked(4, 9), loop("m1", 1)[4:]),
		"the sender's own copy is no proof": story(both, connected(roseTwo), loop("m1", 1)[:3],
			shown(roseTwo, "rose", "m1", 1), ack(roseTwo, 1), acked(roseTwo, 1), asked(9, 1), loop("m1", 1)[3:]),
	} {
		t.Run(name, func(t *testing.T) {
			report := Check(events)
			require.Empty(t, report.Violations)
			require.NotZero(t, report.Messages)
			require.False(t, report.Pending())
		})
	}
}

// asked is a sync and a call of REST that find no acknowledgement; the questions went out when the log had n events.
func asked(n int, seq uint64) []Event {
	return []Event{
		{Kind: Waiting, Device: rose, Position: at(seq), Asked: n},
		{Kind: Life, Device: rose, Position: at(seq), Asked: n, Note: "stored"},
	}
}

func connectedAgain(d Device) Event { return Event{Kind: Connected, Device: d, V1: true} }

func TestCheck_Faults(t *testing.T) {
	both := story(connected(rose), connected(jack))
	one := story(both, loop("m1", 1))
	other := func(e Event, change func(*Event)) Event { change(&e); return e }
	for name, c := range map[string]struct {
		class  Class
		events []Event
	}{
		"never shown":                     {Lost, story(both, sent(rose, "m1"), accepted(rose, "m1", 1))},
		"not shown on the second device":  {Lost, story(both, connected(jackTwo), loop("m1", 1))},
		"not shown on the sender's other": {Lost, story(both, connected(roseTwo), loop("m1", 1))},
		"a REST send not shown to its sender": {Lost, story(both, other(sent(rose, "m1"), func(e *Event) { e.Door = REST }),
			loop("m1", 1)[1:])},
		"a sync says gone":        {Lost, story(one, Event{Kind: Gone, Device: rose, Position: at(1)})},
		"a mark refused":          {Lost, story(one, Event{Kind: MarkRefused, Device: jack, Position: at(1), Note: "bad_field"})},
		"a device forgotten":      {Lost, story(one, connected(jack))},
		"a repeat stored again":   {ShownTwice, story(one, sent(rose, "m1"), repeated(rose, "m1", 2))},
		"a repeat shown again":    {ShownTwice, story(one, shown(jack, "rose", "m1", 2))},
		"a repeat accepted anew":  {ShownTwice, story(one, sent(rose, "m1"), accepted(rose, "m1", 1))},
		"a position given twice":  {ShownTwice, story(one, sent(rose, "m2"), accepted(rose, "m2", 1))},
		"another text in a place": {ShownTwice, story(one, sent(rose, "m2"), shown(jack, "rose", "m2", 1))},
		"another text in a repeat": {ShownTwice, story(one, sent(rose, "m2"),
			other(shown(jack, "rose", "m2", 1), func(e *Event) { e.Kind = Repeated }))},
		"the client's filter failed": {ShownTwice, story(one, shown(jack, "rose", "m1", 1))},
		"a lower seq after a higher": {OutOfOrder, story(both, sent(rose, "m1"), sent(rose, "m2"),
			accepted(rose, "m1", 1), accepted(rose, "m2", 2), shown(jack, "rose", "m2", 2), shown(jack, "rose", "m1", 1))},
		"a gap": {OutOfOrder, story(one, sent(rose, "m2"), shown(jack, "rose", "m2", 3))},
		"sends in another order": {OutOfOrder, story(both, sent(rose, "m1"), sent(rose, "m2"),
			accepted(rose, "m2", 1), accepted(rose, "m1", 2))},
		"sent after a 0, placed before": {OutOfOrder, story(both, sent(rose, "m1"), accepted(rose, "m1", 2),
			sent(jack, "m2"), accepted(jack, "m2", 1))},
		"acknowledged, no 17":           {ProofMissing, story(both, loop("m1", 1)[:5])},
		"acknowledged by a mark, no 17": {ProofMissing, story(both, loop("m1", 1)[:3], ackTo(jack, 1), ackedTo(jack, 1))},
		"17 on the other device alone": {ProofMissing, story(both, connected(roseTwo), loop("m1", 1)[:5], proof(roseTwo, jack, 1),
			shown(roseTwo, "rose", "m1", 1), ack(roseTwo, 1), acked(roseTwo, 1))},
		"a sync says waiting":           {ProofMissing, story(one, Event{Kind: Waiting, Device: rose, Position: at(1), Asked: len(one)})},
		"REST says stored":              {ProofMissing, story(one, Event{Kind: Life, Device: rose, Position: at(1), Asked: len(one), Note: "stored", Devices: []Device{jack}})},
		"REST misses a device":          {ProofMissing, story(one, Event{Kind: Life, Device: rose, Position: at(1), Asked: len(one), Note: "delivered"})},
		"no 0":                          {Unanswered, story(one, sent(rose, "m2"))},
		"no 16":                         {Unanswered, story(both, loop("m1", 1)[:4])},
		"shown, never sent":             {Invented, story(one, shown(jack, "rose", "m9", 2))},
		"accepted, never sent":          {Invented, story(one, accepted(rose, "m9", 2))},
		"refused, never sent":           {Invented, story(one, Event{Kind: Refused, Device: rose, MsgID: "m9"})},
		"refused for good":              {Invented, story(one, Event{Kind: Refused, Device: rose, MsgID: "m1", Final: true})},
		"another text than was sent":    {Invented, story(both, other(loop("m1", 1)[0], func(e *Event) { e.Body = "x" }), loop("m1", 1)[1:])},
		"shown to a stranger":           {Invented, story(one, connected(stranger), shown(stranger, "rose", "m1", 1))},
		"shown to its own device":       {Invented, story(one, shown(rose, "rose", "m1", 1))},
		"16 for nothing":                {Invented, story(both, loop("m1", 1)[:3], acked(jack, 1))},
		"16 further than asked":         {Invented, story(one, ackedTo(jack, 1))},
		"17 before the acknowledgement": {Invented, story(both, loop("m1", 1)[:3], proof(rose, jack, 1))},
		"17 to somebody else":           {Invented, story(one, proof(jack, jack, 1))},
		"17 for nothing":                {Invented, story(one, proof(rose, jack, 2))},
		"17 names the wrong device":     {Invented, story(one, proof(rose, jackTwo, 1))},
		"a frame nobody may send":       {Invented, story(one, Event{Kind: Unexpected, Device: rose, Note: "500 internal"})},
	} {
		t.Run(name, func(t *testing.T) {
			report := Check(c.events)
			require.NotZero(t, report.Count(c.class), "%+v", report.Violations)
			require.NotEmpty(t, Story(c.events, report.Violations[0], 10))
		})
	}
}

// A broken dedup is one kind of violation, not a shower of others.
func TestCheck_OneFaultForOneCause(t *testing.T) {
	report := Check(story(connected(rose), connected(jack), loop("m1", 1),
		sent(rose, "m1"), repeated(rose, "m1", 2), shown(jack, "rose", "m1", 2), ack(jack, 2), acked(jack, 2), proof(rose, jack, 2),
		sent(rose, "m2"), accepted(rose, "m2", 3), shown(jack, "rose", "m2", 3), ack(jack, 3), acked(jack, 3), proof(rose, jack, 3)))
	require.NotEmpty(t, report.Violations)
	require.Len(t, report.Violations, report.Count(ShownTwice), "%+v", report.Violations)
}

func TestCheck_TooEarlyToSay(t *testing.T) {
	events := story(connected(rose), connected(jack), loop("m1", 1), loop("m2", 2))
	for n := range events {
		report := Check(events[:n])
		require.Len(t, report.Violations, report.Count(Lost)+report.Count(ProofMissing)+report.Count(Unanswered), "after %d: %+v", n, report.Violations)
	}
	require.False(t, Check(events).Pending())
	require.True(t, Check(events[:len(events)-1]).Pending())
}

func TestStory(t *testing.T) {
	events := story(connected(rose), connected(jack), loop("m1", 1)[:5], killed(1)[0], connectedAgain(jack), loop("m2", 2), proof(rose, jack, 1))
	violation := Violation{MsgID: "m1", Position: at(1), Device: jack}
	lines := Story(events, violation, 20)
	require.Len(t, lines, 8, "six frames, the kill and the connection between them")
	require.Contains(t, lines[5], "FAULT")
	short := Story(events, violation, 4)
	require.Len(t, short, 5)
	require.Equal(t, lines[0], short[0])
	require.Equal(t, "… 4 more", short[2])
	require.Equal(t, lines[7], short[4])
}
