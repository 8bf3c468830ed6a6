package ws

import (
	"cmp"
	"slices"
)

// seqRuns are seqs, as runs in ascending order that neither overlap nor touch.
type seqRuns []seqRun

type seqRun struct{ from, to uint64 } // both inclusive

// runsOf returns the seqs of receipts. It is quick where these come by From, as ReceiptsAfter lists them.
func runsOf(receipts []Receipt) (runs seqRuns) {
	for i := range receipts {
		runs.add(receipts[i].From, receipts[i].To)
	}
	return runs
}

// add adds the seqs from to to.
func (r *seqRuns) add(from, to uint64) {
	runs := *r
	first := runs.search(from - min(from, 1)) // the first one that from touches, or lies in, or comes before
	last := first
	for last < len(runs) && runs[last].from <= to+1 {
		from, to = min(from, runs[last].from), max(to, runs[last].to)
		last++
	}
	*r = slices.Replace(runs, first, last, seqRun{from, to})
}

func (r seqRuns) has(seq uint64) bool {
	i := r.search(seq)
	return i < len(r) && r[i].from <= seq
}

// search returns the first run that does not end before seq.
func (r seqRuns) search(seq uint64) int {
	i, _ := slices.BinarySearchFunc(r, seq, func(run seqRun, seq uint64) int { return cmp.Compare(run.to, seq) })
	return i
}
