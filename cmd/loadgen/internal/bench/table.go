package bench

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
)

// print writes one table for each kind of run that there is, and the figures.
func (r *Report) print(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	r.printTraffic(w)
	r.printConnects(w)
	r.printCrowds(w)
	r.printFigures(w)
	for _, reason := range r.Spoiled {
		_, _ = fmt.Fprintf(w, "SPOILED: %s\n", reason)
	}
	return w.Flush()
}

func (r *Report) printTraffic(w io.Writer) {
	rows := make([]RunRecord, 0, len(r.Runs)+len(r.Totals))
	for _, run := range r.Runs {
		if run.Traffic != nil {
			rows = append(rows, run)
		}
	}
	if len(rows) == 0 {
		return
	}
	rows = append(rows, r.Totals...)
	_, _ = fmt.Fprintln(w, "run\tserver\tusers\tdelivered\tmsg/s\tCPU-s/1M\tserver\tgenerator\tothers\t"+
		"arrival ms p50\tp99\tp99.9\tmax\tproof ms p50\tp99\tp99.9\tlag ms p99\tRSS MiB\t")
	for _, row := range rows {
		t := row.Traffic
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%.0f\t%.1f\t%s\t%s\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.2f\t%.0f\t\n",
			row.Suite, row.Server, t.Users, t.Delivered, t.PerSecond, t.CPUPerMillion, shares(t.Usage), percent(t.Usage.Share(t.Usage.Foreign)),
			t.Reach.P50, t.Reach.P99, t.Reach.P999, t.Reach.Max, t.Proof.P50, t.Proof.P99, t.Proof.P999, t.Lag.P99,
			float64(t.RSS)/(1<<20))
	}
	_, _ = fmt.Fprintln(w)
}

func (r *Report) printConnects(w io.Writer) {
	first := true
	for _, run := range r.Runs {
		c := run.Connects
		if c == nil {
			continue
		}
		if first {
			_, _ = fmt.Fprintln(w, "run\tserver\tclients\tconnects/s\tCPU-s/1000\tserver\tgenerator\tms p50\tp99\tmax\t")
			first = false
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%.0f\t%.2f\t%s\t%.2f\t%.2f\t%.2f\t\n", run.Suite, run.Server, c.Clients,
			c.PerSecond, c.CPUPerThousand, shares(c.Usage), c.Took.P50, c.Took.P99, c.Took.Max)
	}
	if !first {
		_, _ = fmt.Fprintln(w)
	}
}

func (r *Report) printCrowds(w io.Writer) {
	first := true
	for _, run := range r.Runs {
		c := run.Crowd
		if c == nil {
			continue
		}
		if first {
			_, _ = fmt.Fprintln(w, "run\tserver\tclients\tKiB each, settled\tas they came\tRSS MiB before\tsettled\t")
			first = false
		}
		_, _ = fmt.Fprintf(w, "%s\t%s\t%d\t%.1f\t%.1f\t%.0f\t%.0f\t\n", run.Suite, run.Server, c.Clients,
			c.PerConnection/1024, c.RawPerConnection/1024, float64(c.Before)/(1<<20), float64(c.Settled)/(1<<20))
	}
	if !first {
		_, _ = fmt.Fprintln(w)
	}
}

func (r *Report) printFigures(w io.Writer) {
	if len(r.Figures) == 0 {
		return
	}
	_, _ = fmt.Fprintln(w, "figure\tvalue\tunit\tbound\t\t")
	for _, f := range r.Figures {
		met := "met"
		if !f.Met {
			met = "NOT MET"
		}
		if f.Bound == nil {
			met = ""
		}
		_, _ = fmt.Fprintf(w, "%s\t%.2f\t%s\t%s\t%s\t\n", f.Name, f.Value, f.Unit, f.Bound, met)
	}
}

// shares are the parts of the machine that the server and the generator took.
func shares(u measure.Usage) string {
	return percent(u.Share(u.Server)) + "\t" + percent(u.Share(u.Own))
}

func percent(share float64) string { return fmt.Sprintf("%.0f %%", 100*share) }
