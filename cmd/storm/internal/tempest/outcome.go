package tempest

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	faultsShown = 3  // of each class
	storyLines  = 25 // of each fault
)

var rows = []struct {
	label string
	kind  history.Kind
}{
	{"sessions", history.Connected},
	{"sends, with repeats", history.Sent},
	{"0 accepted, with repeats", history.Accepted},
	{"500 refused", history.Refused},
	{"2 shown", history.Shown},
	{"2 dropped, shown already", history.Repeated},
	{"15 acknowledgements", history.AckSent},
	{"16 and marks recorded", history.Acked},
	{"17 proofs", history.Proved},
	{"lives asked by REST", history.Life},
}

// Print writes the table, what is wrong, and the verdict as the last line. It reports whether all is well.
func (o *Outcome) Print(out io.Writer) bool {
	counts := map[history.Kind]int{}
	for i := range o.Events {
		counts[o.Events[i].Kind]++
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		_, _ = fmt.Fprintf(table, "%s\t%d\n", row.label, counts[row.kind])
	}
	_, _ = fmt.Fprintf(table, "took\t%.1f s\n", o.Took.Seconds())
	_ = table.Flush()
	o.printFaults(out)
	if o.Err != nil {
		_, _ = fmt.Fprintln(out, "error:", o.Err)
	}
	r := o.Report
	_, _ = fmt.Fprintf(out, "storm: %d messages, %d kills: %d lost, %d shown twice, %d out of order, %d proofs missing",
		r.Messages, r.Kills, r.Count(history.Lost), r.Count(history.ShownTwice), r.Count(history.OutOfOrder), r.Count(history.ProofMissing))
	if n := r.Count(history.Unanswered); n > 0 {
		_, _ = fmt.Fprintf(out, ", %d unanswered", n)
	}
	if n := r.Count(history.Invented); n > 0 {
		_, _ = fmt.Fprintf(out, ", %d invented", n)
	}
	_, _ = fmt.Fprintln(out)
	return len(r.Faults) == 0 && o.Err == nil
}

func (o *Outcome) printFaults(out io.Writer) {
	printed := map[history.Class]int{}
	for _, f := range o.Report.Faults {
		if printed[f.Class]++; printed[f.Class] > faultsShown {
			continue
		}
		_, _ = fmt.Fprintf(out, "\n%s: %s\n", f.Class, f.Text)
		for _, line := range history.Story(o.Events, f, storyLines) {
			_, _ = fmt.Fprintf(out, "    %s\n", line)
		}
	}
}
