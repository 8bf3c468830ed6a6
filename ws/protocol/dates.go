package protocol

import (
	"sync/atomic"
	"time"
)

// Dates writes moments the way Java's Date.toString does: "Tue Jan 02 10:28:12 CST 2024". It is safe for concurrent use
// and remembers the last second it wrote, since frames of one second carry the same date.
type Dates struct {
	zone *time.Location
	last atomic.Pointer[datedSecond]
}

type datedSecond struct {
	second int64
	text   string
}

// NewDates makes Dates for a zone; nil means the host's.
func NewDates(zone *time.Location) *Dates {
	if zone == nil {
		zone = time.Local
	}
	return &Dates{zone: zone}
}

// Append appends the second that ms, in Unix milliseconds, lies in. Zones without letters of their own are written as
// Java writes them: GMT-03:00.
func (d *Dates) Append(dst []byte, ms int64) []byte { return append(dst, d.text(ms)...) }

func (d *Dates) text(ms int64) string {
	moment := time.UnixMilli(ms)
	if last := d.last.Load(); last != nil && last.second == moment.Unix() {
		return last.text
	}
	fresh := &datedSecond{moment.Unix(), javaDate(moment.In(d.zone))}
	d.last.Store(fresh)
	return fresh.text
}

func javaDate(t time.Time) string {
	layout := "Mon Jan 02 15:04:05 MST 2006"
	if name, _ := t.Zone(); name == "" || name[0] == '+' || name[0] == '-' {
		layout = "Mon Jan 02 15:04:05 GMT-07:00 2006"
	}
	return t.Format(layout)
}

// appendDate appends the date and nothing else to a key. The zone's name may be anything, so that it is quoted too.
func (d *Dates) appendDate(dst []byte, key string, ms int64) []byte {
	return appendText(dst, key, d.text(ms))
}
