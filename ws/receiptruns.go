package ws

// SubtractSeqs returns runs without the seqs from to to. Neither is changed.
func SubtractSeqs(runs []Receipt, from, to uint64) []Receipt {
	var left []Receipt
	for _, run := range runs {
		if to < run.From || from > run.To {
			left = append(left, run)
			continue
		}
		if run.From < from {
			before := run
			before.To = from - 1
			left = append(left, before)
		}
		if run.To > to {
			behind := run
			behind.From = to + 1
			left = append(left, behind)
		}
	}
	return left
}

// MergeReceipt returns runs with run, as one with those it touches that say the same. It uses runs' memory.
func MergeReceipt(runs []Receipt, run Receipt) []Receipt {
	for i := 0; i < len(runs); i++ {
		other := &runs[i]
		touches := other.To+1 == run.From || run.To+1 == other.From
		if !touches || other.Attempts != run.Attempts || other.Node != run.Node {
			continue
		}
		run.From, run.To, run.At = min(run.From, other.From), max(run.To, other.To), min(run.At, other.At)
		runs = append(runs[:i], runs[i+1:]...)
		i = -1 // the longer run may touch one that the shorter did not
	}
	return append(runs, run)
}
