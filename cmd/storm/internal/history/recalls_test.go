package history

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

func recalls(kind Kind, seq uint64) Event {
	return Event{Kind: kind, Device: rose, MsgID: "m1", Position: at(seq)}
}

func told(d Device, seq, target uint64) Event {
	return Event{Kind: Shown, Device: d, From: "rose", Position: at(seq), PrevSeq: seq - 1, Target: at(target)}
}

func read(d Device, seq uint64, kind string) Event {
	e := Event{Kind: Read, Device: d, Position: at(seq), Note: kind}
	if kind == historyMessage {
		e.From, e.MsgID, e.Body = "rose", "m1", "text of m1"
	}
	return e
}

// takenBack is a message that jack was shown and rose recalled, and its recall at 2.
var takenBack = story(connected(rose), connected(jack), loop("m1", 1), recalls(RecallSent, 1), recalls(Recalled, 1),
	told(jack, 2, 1), ack(jack, 2), acked(jack, 2))

// again is a session of jack that was asked for when n events had come.
func again(n int) Event { return Event{Kind: Connected, Device: jack, V1: true, Asked: n} }

func readAll(d Device) Event { return Event{Kind: ReadAll, Device: d} }

func TestCheck_Recalls(t *testing.T) {
	early := takenBack[:2+1]
	for name, events := range map[string][]Event{
		"shown, recalled, told": takenBack,
		"never shown":           story(early, accepted(rose, "m1", 1), recalls(RecallSent, 1), recalls(Recalled, 1), told(jack, 2, 1), ack(jack, 2), acked(jack, 2)),
		"on its way when the recall was answered": story(early, accepted(rose, "m1", 1), recalls(RecallSent, 1), recalls(Recalled, 1),
			shown(jack, "rose", "m1", 1), told(jack, 2, 1), ack(jack, 2), acked(jack, 2)),
		"a session that was asked for before the answer": story(early, accepted(rose, "m1", 1), recalls(RecallSent, 1), recalls(Recalled, 1),
			again(4), shown(jack, "rose", "m1", 1), told(jack, 2, 1), ack(jack, 2), acked(jack, 2)),
		"gone": story(takenBack, Event{Kind: Gone, Device: rose, Position: at(1)}),
		"read back": story(takenBack, read(rose, 1, historyRecalled), read(rose, 2, historyRecall),
			read(jack, 1, historyRecalled), read(jack, 2, historyRecall), readAll(rose), readAll(jack)),
		"read back in part": story(takenBack, read(jack, 2, historyRecall)),
	} {
		t.Run(name, func(t *testing.T) {
			report := Check(events)
			require.Empty(t, report.Violations)
			require.Equal(t, 1, report.Recalls)
		})
	}
}

func TestCheck_RecallFaults(t *testing.T) {
	both := story(connected(rose), connected(jack))
	one := story(both, loop("m1", 1))
	n := len(takenBack)
	repeat := shown(jack, "rose", "m1", 1)
	repeat.Kind = Repeated
	for name, c := range map[string]struct {
		class  Class
		events []Event
	}{
		"sent again after the device was told": {ShownRecalled, story(takenBack, repeat)},
		"shown to a later session": {ShownRecalled, story(both, sent(rose, "m1"), accepted(rose, "m1", 1), recalls(RecallSent, 1), recalls(Recalled, 1),
			again(6), shown(jack, "rose", "m1", 1))},
		"REST does not know":                 {ShownRecalled, story(takenBack, Event{Kind: Life, Device: rose, Position: at(1), Asked: n, Note: "delivered"})},
		"history still has the text":         {HistoryDiffers, story(takenBack, read(jack, 1, historyMessage), read(jack, 2, historyRecall))},
		"history lacks it":                   {HistoryDiffers, story(takenBack, read(jack, 2, historyRecall), readAll(jack))},
		"history of which nothing is listed": {HistoryDiffers, story(takenBack, readAll(jack))},
		"history has what nobody sent":       {HistoryDiffers, story(one, read(jack, 1, historyMessage), read(jack, 2, historyMessage))},
		"history has another text": {HistoryDiffers, story(one, func() Event {
			e := read(jack, 1, historyMessage)
			e.Body = "x"
			return e
		}())},
		"history blanks what was not recalled": {HistoryDiffers, story(one, read(jack, 1, historyRecalled))},
		"history twice":                        {HistoryDiffers, story(one, read(jack, 1, historyMessage), read(jack, 1, historyMessage))},
		"no answer":                            {Unanswered, story(one, recalls(RecallSent, 1))},
		"not told":                             {Lost, story(one, recalls(RecallSent, 1), recalls(Recalled, 1))},
		"told, no 16":                          {Unanswered, takenBack[:n-1]},
		"told, never recalled":                 {Invented, story(one, told(jack, 2, 1))},
		"told to a stranger":                   {Invented, story(takenBack, connected(stranger), told(stranger, 2, 1))},
		"told to the device that recalled":     {Invented, story(takenBack, told(rose, 2, 1))},
		"answered, never asked":                {Invented, story(one, recalls(Recalled, 1))},
		"refused for good": {Invented, story(one, recalls(RecallSent, 1),
			Event{Kind: RecallRefused, Device: rose, MsgID: "m1", Position: at(1), Note: "403 forbidden", Final: true})},
		"a 17 for a recall": {Invented, story(takenBack, proof(rose, jack, 2))},
		"told twice":        {ShownTwice, story(takenBack, told(jack, 3, 1))},
		"a gap after one":   {OutOfOrder, slices.Concat(takenBack, []Event{sent(rose, "m2"), accepted(rose, "m2", 4), shown(jack, "rose", "m2", 4)})},
	} {
		t.Run(name, func(t *testing.T) {
			report := Check(c.events)
			require.NotZero(t, report.Count(c.class), "%+v", report.Violations)
			require.NotEmpty(t, Story(c.events, report.Violations[0], 10))
		})
	}
}
