package scenario

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

func refusal(counter uint32, temporary bool) []byte {
	return fmt.Appendf(nil, `{"type":500,"status":503,"params":{"code":"overloaded","message":"later","temporary":%t,"msgid":"%s"}}`,
		temporary, wire.AppendMsgID(nil, testRun, 0, counter))
}

// A patient load counts what was refused for the moment, and waits for its proof no longer; all else ends it.
func TestClient_Refused(t *testing.T) {
	for name, test := range map[string]struct {
		patient, temporary, goesOn bool
	}{
		"for the moment, patient":     {true, true, true},
		"for good, patient":           {true, false, false},
		"for the moment, not patient": {false, true, false},
	} {
		t.Run(name, func(t *testing.T) {
			load := small()
			load.Rate, load.Patient = 1, test.patient
			runner := &traffic{load: load, run: testRun, base: time.Now(), lag: measure.NewLatency()}
			runner.sent.Store(1)
			runner.clients = []*client{newClient(runner, 0, nil)}
			c := runner.clients[0]
			c.slot(0).Store(stamp(1, 0))
			err := c.take(refusal(0, test.temporary))
			if !test.goesOn {
				var refused *RefusedError
				require.ErrorAs(t, err, &refused)
				return
			}
			require.NoError(t, err)
			require.EqualValues(t, 1, runner.refused.Load())
			require.Zero(t, runner.underway())
			_, waiting := c.sentAt(0)
			require.False(t, waiting)
			require.NoError(t, runner.fell(runner.now()-behind.Microseconds()-1_000_000), "a schedule may fall behind")
		})
	}
}
