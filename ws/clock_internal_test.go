package ws

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serverClock is a server's clock that a question reaches after half its trip.
type serverClock struct {
	Store
	now  func() Millis
	fail error
}

func (s *serverClock) Time(context.Context) (Millis, error) { return s.now(), s.fail }

func TestClock_Compare(t *testing.T) {
	there := time.Date(2024, 1, 2, 10, 28, 12, 0, time.UTC)
	var ahead, trip time.Duration
	asked, errDown := false, errors.New("down")
	own := func() time.Time { // the first look is before the question, the second one after it
		asked = !asked
		if asked {
			return there.Add(ahead - trip/2)
		}
		return there.Add(ahead + trip/2)
	}
	server := &serverClock{now: func() Millis { return Millis(there.UnixMilli()) }}
	c := newClock(own, server)
	for _, step := range []struct {
		name        string
		ahead, trip time.Duration
		fail        error
		err         error
		want        time.Duration
		news        bool
	}{
		{name: "as good as equal", ahead: 900 * time.Millisecond, trip: 10 * time.Millisecond},
		{name: "ahead", ahead: time.Hour, trip: 10 * time.Millisecond, want: time.Hour, news: true},
		{name: "no answer", ahead: 0, fail: errDown, err: errDown, want: time.Hour},
		{name: "an answer that says nothing", ahead: 0, trip: 3 * time.Second, err: errLateTime, want: time.Hour},
		{name: "not far from before", ahead: time.Hour + 800*time.Millisecond, want: time.Hour},
		{name: "behind", ahead: -time.Hour, want: -time.Hour, news: true},
		{name: "behind within the trip", ahead: -1400 * time.Millisecond, trip: time.Second, want: 0, news: true},
		{name: "right", ahead: 0, want: 0},
		{name: "a little off", ahead: 1100 * time.Millisecond, trip: 10 * time.Millisecond, want: 1100 * time.Millisecond, news: true},
		{name: "after a longer trip", ahead: 1100 * time.Millisecond, trip: 300 * time.Millisecond, want: 1100 * time.Millisecond},
		{name: "and a shorter one", ahead: 1050 * time.Millisecond, trip: 10 * time.Millisecond, want: 1100 * time.Millisecond},
		{name: "put right", ahead: 400 * time.Millisecond, trip: 10 * time.Millisecond, want: 0, news: true},
	} {
		t.Run(step.name, func(t *testing.T) {
			ahead, trip, server.fail, asked = step.ahead, step.trip, step.fail, false
			_, news, err := c.compare(t.Context())
			require.ErrorIs(t, err, step.err)
			require.Equal(t, step.news, news)
			asked, trip = false, 0
			require.EqualValues(t, there.Add(ahead-step.want).UnixMilli(), c.now())
		})
	}
}

func TestClock_Alone(t *testing.T) {
	c := newClock(time.Now, nil)
	_, news, err := c.compare(t.Context())
	require.NoError(t, err)
	require.False(t, news)
}
