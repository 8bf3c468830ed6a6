package scenario

import (
	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
)

// Result is what one run of traffic came to.
type Result struct {
	Users     int           `json:"users"`
	Delivered int64         `json:"delivered"` // within the measured part: messages with their proof
	Again     int64         `json:"proofs_again"`
	Refused   int64         `json:"refused,omitempty"` // of a patient load
	Usage     measure.Usage `json:"usage"`
	RSS       int64         `json:"server_rss_bytes"`

	PerSecond     float64 `json:"per_second"`        // delivered messages
	CPUPerMillion float64 `json:"cpu_s_per_million"` // what a million of them cost the server

	Reach measure.Summary `json:"reach"` // from the time a message was to be sent to its arrival at the receiver
	Proof measure.Summary `json:"proof"` // and to its proof at the sender
	Lag   measure.Summary `json:"lag"`   // of the generator itself

	Calls *Calls `json:"calls_per_message,omitempty"` // to services, where they are counted

	reach, proof, lag *measure.Latency
}

func (t *traffic) result(delivered int64, usage measure.Usage, rss int64) Result {
	r := Result{
		Users: t.load.Users, Delivered: delivered, Again: t.again.Load(), Refused: t.refused.Load(), Usage: usage, RSS: rss,
		reach: t.reach, proof: t.proof, lag: t.lag,
	}
	r.summarize()
	return r
}

func (r *Result) summarize() {
	r.PerSecond = ratio(float64(r.Delivered), r.Usage.Wall.Seconds())
	r.CPUPerMillion = ratio(r.Usage.Server.Seconds()*1e6, float64(r.Delivered))
	r.Reach, r.Proof, r.Lag = r.reach.Summary(), r.proof.Summary(), r.lag.Summary()
}

func ratio(a, b float64) float64 {
	if b == 0 {
		return 0
	}
	return a / b
}

// Merge returns several rounds as one result.
func Merge(rounds []Result) Result {
	sum := Result{reach: measure.NewLatency(), proof: measure.NewLatency(), lag: measure.NewLatency()}
	for _, r := range rounds {
		sum.Users = r.Users
		sum.Delivered += r.Delivered
		sum.Again += r.Again
		sum.Refused += r.Refused
		sum.Usage = sum.Usage.Add(r.Usage)
		sum.RSS = max(sum.RSS, r.RSS)
		sum.reach.Merge(r.reach)
		sum.proof.Merge(r.proof)
		sum.lag.Merge(r.lag)
	}
	sum.summarize()
	return sum
}
