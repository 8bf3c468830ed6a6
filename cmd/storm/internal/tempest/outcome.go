package tempest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	violationsShown = 3  // of each class
	storyLines      = 25 // of each violation
)

var rows = []struct {
	label string
	kind  history.Kind
}{
	{"sessions", history.Connected},
	{"sends, with repeats", history.Sent},
	{"0 accepted, with repeats", history.Accepted},
	{"500 refused", history.Refused},
	{"2 and 31 shown", history.Shown},
	{"2 and 31 dropped, shown already", history.Repeated},
	{"15 acknowledgements", history.AckSent},
	{"16 and marks recorded", history.Acked},
	{"17 proofs", history.Proved},
	{"delayed", history.Scheduled},
	{"cancelled", history.Cancelled},
	{"recalls, with repeats", history.RecallSent},
	{"positions of histories read", history.Read},
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
	o.printViolations(out)
	if o.Err != nil {
		_, _ = fmt.Fprintln(out, "error:", o.Err)
	}
	_, _ = fmt.Fprintln(out, "storm:", o.Report.Verdict())
	return len(o.Report.Violations) == 0 && o.Err == nil
}

// Save writes the whole history, one event a line.
func (o *Outcome) Save(path string) error {
	file, err := os.Create(path) //nolint:gosec // the path is the caller's own
	if err != nil {
		return err
	}
	lines := bufio.NewWriter(file)
	for i := range o.Events {
		_, _ = fmt.Fprintln(lines, o.Events[i].String())
	}
	return errors.Join(lines.Flush(), file.Close())
}

func (o *Outcome) printViolations(out io.Writer) {
	printed := map[history.Class]int{}
	for _, v := range o.Report.Violations {
		if printed[v.Class]++; printed[v.Class] > violationsShown {
			continue
		}
		_, _ = fmt.Fprintf(out, "\n%s: %s\n", v.Class, v.Text)
		for _, line := range history.Story(o.Events, v, storyLines) {
			_, _ = fmt.Fprintf(out, "    %s\n", line)
		}
	}
}
