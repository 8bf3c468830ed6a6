package history

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fault is the whole life of one, with what happens before it is over.
func fault(e Event, during ...any) []Event {
	steps := story()
	for _, kind := range []Kind{Struck, Down, Mending, Mended} {
		if kind == Mending {
			steps = append(steps, story(during...)...)
		}
		e.Kind = kind
		steps = append(steps, e)
	}
	return steps
}

func killed(node int) []Event { return fault(Event{Note: "a kill", Node: node}) }

func noLedger(during ...any) []Event { return fault(Event{Note: "SQL", Ledger: true}, during...) }

func on(e Event, node int) Event { e.Node = node; return e }

func ended(d Device, node, code int) Event {
	return Event{Kind: Disconnected, Device: d, Node: node, Code: code}
}

func refused(d Device, msgid, code string) Event {
	return Event{Kind: Refused, Device: d, MsgID: msgid, Note: code}
}

func TestCheck_FaultsExcuse(t *testing.T) {
	both := story(on(connected(rose), 1), on(connected(jack), 2))
	for name, events := range map[string][]Event{
		"a node's death ends its sessions": story(both, killed(2)[:1], ended(jack, 2, 1006), killed(2)[1:], loop("m1", 1)),
		"one that began meanwhile too": story(both, killed(2)[:1], on(connectedAgain(jack), 2), ended(jack, 2, 1006), killed(2)[1:],
			on(connectedAgain(jack), 2), loop("m1", 1)),
		"its client sees that late":       story(both, killed(2), ended(jack, 2, 1006), loop("m1", 1)),
		"refused, then accepted":          story(both, noLedger(sent(rose, "m1"), refused(rose, "m1", "storage_unavailable")), loop("m1", 1)),
		"refused by REST":                 story(both, noLedger(sent(rose, "m1"), refused(rose, "m1", "503 storage_unavailable")), loop("m1", 1)),
		"on its way when the ledger went": story(both, sent(rose, "m1"), noLedger(accepted(rose, "m1", 1)), loop("m1", 1)[2:]),
		"the refusal went down with its connection": story(both, sent(rose, "m1"), sent(rose, "m2"), noLedger(),
			loop("m2", 1)[1:], loop("m1", 2)),
		"a connect given up goes on": story(both, Event{Kind: GaveUp, Device: jack, Node: 1}, ended(jack, 2, 4409), loop("m1", 1)),
		"nothing acknowledged":       story(both, ended(jack, 2, 4410), loop("m1", 1)),
	} {
		t.Run(name, func(t *testing.T) {
			report := Check(events)
			require.Empty(t, report.Violations)
		})
	}
}

func TestCheck_FaultsDoNotExcuse(t *testing.T) {
	both := story(on(connected(rose), 1), on(connected(jack), 2))
	for name, c := range map[string]struct {
		class  Class
		events []Event
	}{
		"a session ended by a living node":            {Closed, story(both, killed(1), ended(jack, 2, 1006))},
		"a session that began after the death":        {Closed, story(both, killed(2), on(connectedAgain(jack), 2), ended(jack, 2, 1006))},
		"a session ended since nothing can be stored": {Closed, story(both, noLedger(ended(jack, 2, 1011)))},
		"replaced by nobody":                          {Closed, story(both, ended(jack, 2, 4409))},
		"what it acknowledged could not be stored":    {Closed, story(both, noLedger(), ended(jack, 2, 4410))},
		"accepted into nothing":                       {Invented, story(both, noLedger(sent(rose, "m1"), accepted(rose, "m1", 1)))},
		"refused for another reason":                  {Invented, story(both, noLedger(sent(rose, "m1"), refused(rose, "m1", "internal")))},
		"out of order without an outage": {OutOfOrder, story(both, noLedger(), sent(rose, "m1"), sent(rose, "m2"),
			loop("m2", 1)[1:], loop("m1", 2)[1:])},
	} {
		t.Run(name, func(t *testing.T) {
			report := Check(c.events)
			require.NotZero(t, report.Count(c.class), "%+v", report.Violations)
			require.NotEmpty(t, Story(c.events, report.Violations[0], 10))
		})
	}
}

// after lets the last event come that much later.
func after(wait time.Duration, events []Event) []Event {
	events[len(events)-1].At = wait
	return events
}

func TestCheck_Late(t *testing.T) {
	const long = 2 * lateAfter
	both := story(connected(rose), connected(jack))
	for name, c := range map[string]struct {
		late   int
		events []Event
	}{
		"the session stood":                 {1, after(long, story(both, loop("m1", 1)[:3]))},
		"whatever else was down":            {1, after(long, story(both, loop("m1", 1)[:2], fault(Event{Note: "Redis"}), loop("m1", 1)[2]))},
		"a little":                          {0, after(lateAfter/2, story(both, loop("m1", 1)[:3]))},
		"the session is new":                {0, after(long, story(both, loop("m1", 1)[:2], connectedAgain(jack), loop("m1", 1)[2]))},
		"nothing could be stored meanwhile": {0, after(long, story(both, loop("m1", 1)[:2], noLedger(), loop("m1", 1)[2]))},
		"it had got no 0":                   {0, after(long, story(both, loop("m1", 1)[0], loop("m1", 1)[2]))},
	} {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, c.late, Check(c.events).Count(Late))
		})
	}
}

func TestCheck_CountsFaults(t *testing.T) {
	report := Check(story(killed(1), killed(2), killed(1), noLedger(), fault(Event{Note: "Redis"})))
	require.Equal(t, 3, report.Kills)
	require.Equal(t, 2, report.Outages)
}
