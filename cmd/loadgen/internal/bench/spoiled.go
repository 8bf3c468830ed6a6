package bench

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
)

// SpoiledError says why a run tells nothing about the server.
type SpoiledError struct{ Reasons []string }

// Error implements error.
func (e *SpoiledError) Error() string {
	return "the run is spoiled and not reported (-allow-lag reports it all the same): " + strings.Join(e.Reasons, "; ")
}

// spoils are the bounds beyond which a run tells more about the generator, or about others on the machine, than about
// the server.
type spoils struct {
	lag     time.Duration
	own     float64
	foreign float64
}

// unspoilable are the bounds for what neither the generator nor others on the machine can change.
var unspoilable = spoils{lag: math.MaxInt64, own: 1, foreign: 1}

// traffic returns why a run of traffic is spoiled; nothing if it is not.
func (s spoils) traffic(who string, r scenario.Result, open bool) []string {
	reasons := s.usage(who, r.Usage)
	if late := r.Lag.P99; open && late > float64(s.lag)/float64(time.Millisecond) {
		reasons = append(reasons, fmt.Sprintf("%s: the generator's own lag was %.2f ms at p99; at most %v", who, late, s.lag))
	}
	return reasons
}

// usage returns what is wrong with who spent the machine's time.
func (s spoils) usage(who string, u measure.Usage) []string {
	var reasons []string
	if share := u.Share(u.Own); share > s.own {
		reasons = append(reasons, fmt.Sprintf("%s: the generator took %.0f %% of the machine; at most %.0f %%", who, 100*share, 100*s.own))
	}
	if share := u.Share(u.Foreign); share > s.foreign {
		reasons = append(reasons, fmt.Sprintf("%s: other processes took %.0f %% of the machine; at most %.0f %%", who, 100*share, 100*s.foreign))
	}
	return reasons
}
