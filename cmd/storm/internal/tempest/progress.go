package tempest

import (
	"context"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// progress prints a line a second until ctx ends.
func (t *Tempest) progress(ctx context.Context) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for began := time.Now(); ; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		connected := 0
		for i := range t.devices { // a copy would read what changes when somebody joins
			if t.devices[i].device.Connected() {
				connected++
			}
		}
		_, _ = fmt.Fprintf(t.out, "%4.0fs  %d/%d connected  %d faults  %d of %d made  %d accepted  %d refused  %d shown  %d again  %d recorded  %d proofs%s\n",
			time.Since(began).Seconds(), connected, len(t.devices), t.log.Count(history.Struck),
			t.Messages-int(max(0, t.tickets.Load())), t.Messages, t.log.Count(history.Accepted), t.log.Count(history.Refused), t.log.Count(history.Shown),
			t.log.Count(history.Repeated), t.log.Count(history.Acked), t.log.Count(history.Proved), t.under.list())
	}
}
