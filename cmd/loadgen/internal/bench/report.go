package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
)

// Report is everything one call of the program found out; its JSON is the file of raw results.
type Report struct {
	Suite   string        `json:"suite"`
	Began   time.Time     `json:"began"`
	Took    time.Duration `json:"took_ns"`
	Go      string        `json:"go"`
	CPUs    int           `json:"cpus"`
	Load    scenario.Load `json:"load"`
	Runs    []RunRecord   `json:"runs"`
	Totals  []RunRecord   `json:"totals"` // the rounds of one server together
	Figures []Figure      `json:"figures"`
	// Databases are those of the clusters that ran, in turn.
	Databases []string `json:"databases,omitempty"`
	// Holdings are what the server of a soak held, from its beginning to its end.
	Holdings []Holdings `json:"holdings,omitempty"`
	Spoiled  []string   `json:"spoiled,omitempty"` // why nothing here should be believed
}

// RunRecord is one run against one server; Traffic, Crowd, Connects or Moved is set.
type RunRecord struct {
	Suite    string             `json:"suite"`
	Server   string             `json:"server"`
	Traffic  *scenario.Result   `json:"traffic,omitempty"`
	Crowd    *scenario.Crowd    `json:"crowd,omitempty"`
	Connects *scenario.Connects `json:"connects,omitempty"`
	Moved    *scenario.Moved    `json:"moved,omitempty"`
	// Neighbour is what went on beside the traffic.
	Neighbour *scenario.Neighbour `json:"neighbour,omitempty"`
}

// Figure is one number, with its bound if it has one.
type Figure struct {
	Name  string  `json:"name"`
	Value float64 `json:"value"`
	Unit  string  `json:"unit"`
	Bound *Bound  `json:"bound,omitempty"`
	Met   bool    `json:"met"`
}

// Bound is what a figure has to keep.
type Bound struct {
	Limit float64 `json:"limit"`
	Least bool    `json:"least"` // at least Limit, else at most
}

func atMost(limit float64) *Bound  { return &Bound{Limit: limit} }
func atLeast(limit float64) *Bound { return &Bound{Limit: limit, Least: true} }

// Holds reports whether v keeps the bound. No bound is always kept.
func (b *Bound) Holds(v float64) bool {
	switch {
	case b == nil:
		return true
	case b.Least:
		return v >= b.Limit
	default:
		return v <= b.Limit
	}
}

// String returns the bound as it stands in the table.
func (b *Bound) String() string {
	switch {
	case b == nil:
		return ""
	case b.Least:
		return fmt.Sprintf("≥ %g", b.Limit)
	default:
		return fmt.Sprintf("≤ %g", b.Limit)
	}
}

func newReport(o *options) Report {
	return Report{Suite: o.suite, Began: time.Now(), Go: runtime.Version(), CPUs: runtime.NumCPU(), Load: o.load()}
}

func (r *Report) ended() { r.Took = time.Since(r.Began) }

func (r *Report) figure(name, unit string, value float64, bound *Bound) {
	r.Figures = append(r.Figures, Figure{Name: name, Value: value, Unit: unit, Bound: bound, Met: bound.Holds(value)})
}

func (r *Report) unmet() bool {
	for _, f := range r.Figures {
		if !f.Met {
			return true
		}
	}
	return false
}

// total keeps merged rounds, unless there was only one.
func (b *bencher) total(suite string, results map[string]scenario.Result) {
	for _, name := range b.names {
		if r, ok := results[name]; ok && b.o.rounds > 1 {
			b.report.Totals = append(b.report.Totals, RunRecord{Suite: suite + ", all", Server: name, Traffic: &r})
		}
	}
}

// write prints the tables and, where a path is given, the raw results.
func (r *Report) write(out io.Writer, path string) error {
	if err := r.print(out); err != nil {
		return fmt.Errorf("print the report: %w", err)
	}
	if path == "" {
		return nil
	}
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	if err := os.WriteFile(path, append(raw, '\n'), 0o644); err != nil {
		return fmt.Errorf("write the results: %w", err)
	}
	return nil
}
