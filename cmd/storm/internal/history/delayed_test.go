package history

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// later is a message from rose to jack that waits 2 s, as it is sent and scheduled, and its loop when it is shown at a time.
func later(shownAt time.Duration) []Event {
	first := sent(rose, "m1")
	first.Door, first.Delay = REST, 2*time.Second
	one := shown(jack, "rose", "m1", 1)
	one.At = shownAt
	return story(connected(rose), connected(jack), first, Event{Kind: Scheduled, Device: rose, MsgID: "m1"},
		first, one, repeated(rose, "m1", 1), ack(jack, 1), acked(jack, 1), proof(rose, jack, 1),
		shown(rose, "rose", "m1", 1), ack(rose, 1), acked(rose, 1))
}

func TestCheck_Delayed(t *testing.T) {
	own := func(events []Event) []Event { events[10].At = events[5].At; return events }
	t.Run("in time", func(t *testing.T) {
		report := Check(own(later(2 * time.Second)))
		require.Empty(t, report.Violations)
		require.Equal(t, 1, report.Delayed)
	})
	cancelled := Event{Kind: Cancelled, Device: rose, MsgID: "m1"}
	t.Run("cancelled", func(t *testing.T) {
		report := Check(story(later(0)[:4], cancelled))
		require.Empty(t, report.Violations)
		require.False(t, report.Pending())
	})
	for name, c := range map[string]struct {
		class  Class
		events []Event
	}{
		"before its time":             {Invented, own(later(time.Second))},
		"long after":                  {Late, own(later(23 * time.Second))},
		"cancelled and shown":         {Invented, story(later(0)[:4], cancelled, own(later(2 * time.Second))[5])},
		"cancelled after it was sent": {Invented, story(own(later(2*time.Second)), cancelled)},
		"cancelled, never delayed":    {Invented, story(connected(rose), connected(jack), loop("m1", 1), cancelled)},
		"scheduled, never delayed":    {Invented, story(connected(rose), connected(jack), loop("m1", 1), Event{Kind: Scheduled, Device: rose, MsgID: "m1"})},
		"never sent":                  {Unanswered, later(0)[:5]},
	} {
		t.Run(name, func(t *testing.T) {
			report := Check(c.events)
			require.NotZero(t, report.Count(c.class), "%+v", report.Violations)
			require.NotEmpty(t, Story(c.events, report.Violations[0], 10))
		})
	}
}
