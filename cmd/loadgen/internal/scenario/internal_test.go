package scenario

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

const testRun = "00000000"

// shown is frame 2 of user 1's message number counter for user 0.
func shown(counter uint32, seq uint64, change ...func(*wire.Frame)) []byte {
	id := string(wire.AppendMsgID(nil, testRun, 1, counter))
	f := wire.Frame{Params: wire.Params{MsgID: id, Message: id, Conversation: "c", Seq: seq}}
	f.Params.FromUser.OpenID = name(1)
	for _, c := range change {
		c(&f)
	}
	return fmt.Appendf(nil, `{"msg":{"type":2,"params":{"msgid":"%s","message":"%s","conversationId":"%s","seq":%d,"redelivered":%t,"fromUser":{"openid":"%s"}}}}`,
		f.Params.MsgID, f.Params.Message, f.Params.Conversation, f.Params.Seq, f.Params.Redelivered, f.Params.FromUser.OpenID)
}

func TestChecker_Messages(t *testing.T) {
	again := func(f *wire.Frame) { f.Params.Redelivered = true }
	for name, c := range map[string]struct {
		frames [][]byte
		fails  string
	}{
		"in order":          {[][]byte{shown(0, 1), shown(1, 2), shown(2, 7)}, ""},
		"sent again":        {[][]byte{shown(0, 1), shown(0, 1, again), shown(1, 2)}, ""},
		"twice":             {[][]byte{shown(0, 1), shown(0, 1)}, "was next"},
		"lost":              {[][]byte{shown(0, 1), shown(2, 3)}, "was next"},
		"out of order":      {[][]byte{shown(1, 2), shown(0, 1)}, "was next"},
		"position goes":     {[][]byte{shown(0, 2), shown(1, 2)}, "came at"},
		"conversation goes": {[][]byte{shown(0, 1), shown(1, 2, func(f *wire.Frame) { f.Params.Conversation = "d" })}, "came at"},
		"another's text":    {[][]byte{shown(0, 1, func(f *wire.Frame) { f.Params.Message = f.Params.Message[1:] + "x" })}, "text of another"},
		"another sender":    {[][]byte{shown(0, 1, func(f *wire.Frame) { f.Params.FromUser.OpenID = "x" })}, "wrong user"},
	} {
		t.Run(name, func(t *testing.T) {
			check := checker{peer: 1, body: wire.MsgIDChars}
			var err error
			for _, frame := range c.frames {
				if err = check.take(frame, testRun, 0); err != nil {
					break
				}
			}
			if c.fails == "" {
				require.NoError(t, err)
			} else {
				require.ErrorContains(t, err, c.fails)
			}
		})
	}
}

func TestChecker_Accepted(t *testing.T) {
	accepted := func(counter uint32, duplicate bool) []byte {
		return fmt.Appendf(nil, `{"type":0,"params":{"msgid":"%s","duplicate":%t}}`, wire.AppendMsgID(nil, testRun, 0, counter), duplicate)
	}
	check := checker{peer: 1}
	require.NoError(t, check.take(accepted(0, false), testRun, 0))
	require.Error(t, check.take(accepted(0, false), testRun, 0))
	require.Error(t, check.take(accepted(2, false), testRun, 0))
	require.Error(t, check.take(accepted(1, true), testRun, 0))
	require.NoError(t, check.take(accepted(1, false), testRun, 0))
}

// idleTraffic is a run whose clients have no connections.
func idleTraffic(t *testing.T) *traffic {
	t.Helper()
	load := small()
	load.Rate = 1
	run, err := newTraffic(load)
	require.NoError(t, err)
	run.populate(make([]*wire.Conn, 2))
	for _, c := range run.clients {
		c.conn = &wire.Conn{}
	}
	return run
}

func TestClient_TellsMessagesApart(t *testing.T) {
	run := idleTraffic(t)
	c := run.clients[0]
	require.NoError(t, c.send(5))
	at, ok := c.sentAt(0)
	require.True(t, ok)
	require.EqualValues(t, 5, at)
	_, ok = c.sentAt(uint32(len(c.under))) // the next to stand in the same place
	require.False(t, ok)

	msgid := wire.AppendMsgID(nil, run.run, 0, 0)
	require.NoError(t, c.proven(msgid))
	require.EqualValues(t, 1, run.delivered.Load())
	require.NoError(t, c.proven(msgid))
	require.EqualValues(t, 1, run.delivered.Load())
	require.EqualValues(t, 1, run.again.Load())
	require.ErrorContains(t, run.verify(), "more than once")
}

func TestClient_Overrun(t *testing.T) {
	c := idleTraffic(t).clients[0]
	for range c.under {
		require.NoError(t, c.send(1))
	}
	require.ErrorIs(t, c.send(1), errOverrun)
}

func TestTraffic_VerifyComparesBothEnds(t *testing.T) {
	run := idleTraffic(t)
	require.NoError(t, run.verify())
	run.clients[0].counter, run.clients[0].check.accepted = 1, 1
	require.ErrorContains(t, run.verify(), "0 shown")
	run.clients[1].check.shown = 1
	require.NoError(t, run.verify())
}

func TestTraffic_GivesUpBehindSchedule(t *testing.T) {
	run := idleTraffic(t)
	c := run.clients[0]
	c.hungUp.Store(true)
	run.base = time.Now().Add(-time.Hour)
	late := run.now() - behind.Microseconds() - 1000
	require.ErrorIs(t, run.fell(late), ErrBehind)
	require.NoError(t, run.fell(run.now()))
}

func TestTraffic_MeasuresOnlyItsPart(t *testing.T) {
	run := idleTraffic(t)
	require.False(t, run.measured(1))
	run.from.Store(10)
	require.False(t, run.measured(9))
	require.True(t, run.measured(10))
	run.until.Store(20)
	require.True(t, run.measured(19))
	require.False(t, run.measured(20))
}

func TestMerge(t *testing.T) {
	round := func(delivered int64, proof time.Duration) Result {
		r := Result{Users: 4, Delivered: delivered, RSS: delivered, reach: measure.NewLatency(), proof: measure.NewLatency(), lag: measure.NewLatency()}
		r.Usage = measure.Usage{Wall: time.Second, Server: 100 * time.Millisecond}
		r.proof.Record(proof)
		r.summarize()
		return r
	}
	one := round(1000, time.Millisecond)
	require.InEpsilon(t, 1000, one.PerSecond, 1e-9)
	require.InEpsilon(t, 100, one.CPUPerMillion, 1e-9)
	sum := Merge([]Result{one, round(3000, time.Second)})
	require.EqualValues(t, 4000, sum.Delivered)
	require.EqualValues(t, 3000, sum.RSS)
	require.InEpsilon(t, 2000, sum.PerSecond, 1e-9)
	require.InEpsilon(t, 50, sum.CPUPerMillion, 1e-9)
	require.EqualValues(t, 2, sum.Proof.Count)
	require.InEpsilon(t, 1000, sum.Proof.Max, 0.002)
	require.Zero(t, Result{}.PerSecond)
}
