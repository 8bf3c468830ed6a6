package scenario

import (
	"fmt"
	"io"
	"time"
)

// Progress writes a line a second about long work. A nil Progress writes nothing. It belongs to one goroutine.
type Progress struct {
	out   io.Writer
	label string
	last  time.Time
	count int64
}

// NewProgress returns a Progress that begins its lines with label.
func NewProgress(out io.Writer, label string) *Progress {
	return &Progress{out: out, label: label, last: time.Now()}
}

// restart begins a new count.
func (p *Progress) restart() {
	if p != nil {
		p.last, p.count = time.Now(), 0
	}
}

// due reports whether a second has gone by, and how long it was.
func (p *Progress) due() (time.Duration, bool) {
	if p == nil {
		return 0, false
	}
	since := time.Since(p.last)
	if since < time.Second {
		return 0, false
	}
	p.last = time.Now()
	return since, true
}

func (p *Progress) traffic(t *traffic, phase string) {
	since, ok := p.due()
	if !ok {
		return
	}
	n := t.delivered.Load()
	perSecond := float64(n-p.count) / since.Seconds()
	p.count = n
	line := fmt.Sprintf("%s: %d delivered, %.0f/s, %d under way", p.label, n, perSecond, t.underway())
	if left := t.load.Max - n; t.load.Max > 0 && perSecond > 0 {
		line += fmt.Sprintf(", %v left", (time.Duration(float64(left)/perSecond) * time.Second).Round(time.Second))
	}
	p.line(line, phase)
}

func (p *Progress) line(text, phase string) {
	if phase != "" {
		text += " (" + phase + ")"
	}
	_, _ = fmt.Fprintln(p.out, text)
}

// Step writes a line at once.
func (p *Progress) Step(format string, args ...any) {
	if p != nil {
		p.line(p.label+": "+fmt.Sprintf(format, args...), "")
	}
}
