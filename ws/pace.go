package ws

import (
	"time"

	"golang.org/x/time/rate"

	"github.com/yanlink/yanlink/ws/protocol"
)

const (
	// readFaster is how many times faster than the limit of frames they are read: a refusal costs something as well, and so do
	// the frames that do not count.
	readFaster = 10
	// slowestRead is what counts where the limit is lower: acknowledgements have to keep up with what is delivered.
	slowestRead = 20
	// maxPaces is of how many devices that have gone a shard of the hub remembers the pace.
	maxPaces = 1 << 10
)

// pace is how much a device may send: frames that count, and whatever is read. It outlives the device's session, so that
// nobody gets a fresh one by connecting again. Nil is no limit.
type pace struct{ frames, reading *rate.Limiter }

// spent reports whether less is left than a new pace has.
func (p pace) spent() bool {
	return p.frames != nil && (p.frames.Tokens() < float64(p.frames.Burst()) || p.reading.Tokens() < float64(p.reading.Burst()))
}

// take takes n frames of what is left, but no more than there ever is, or returns why not: nil if there are so many.
func (p pace) take(n int) *protocol.Error {
	if p.frames == nil {
		return nil
	}
	n = min(n, p.frames.Burst())
	if p.frames.AllowN(time.Now(), n) {
		return nil
	}
	missing := (float64(n) - p.frames.Tokens()) / float64(p.frames.Limit())
	return &protocol.Error{
		Code: protocol.RateLimited, Message: "too many frames; slow down",
		RetryAfter: max(time.Duration(missing*float64(time.Second)), time.Millisecond),
	}
}

// owe counts n more frames as read: for one that costs as much as so many. The next ones wait for it.
func (p pace) owe(n int) {
	if p.reading != nil {
		p.reading.ReserveN(time.Now(), min(n, p.reading.Burst()))
	}
}

// paceLimits are what a new pace has.
type paceLimits struct {
	perSecond float64 // not positive: no limit
	burst     int
}

func (l paceLimits) pace() pace {
	if l.perSecond <= 0 {
		return pace{}
	}
	return pace{
		frames:  rate.NewLimiter(rate.Limit(l.perSecond), l.burst),
		reading: rate.NewLimiter(rate.Limit(readFaster*max(slowestRead, l.perSecond)), readFaster*l.burst),
	}
}

// paces are those of devices that have gone and had spent of theirs; what they forget is no more than that. They are not
// safe for concurrent use.
type paces map[DeviceRef]pace

// keep remembers the pace of a device that goes. What has filled up again meanwhile is forgotten first, else any.
func (ps paces) keep(device DeviceRef, p pace) {
	if !p.spent() {
		delete(ps, device)
		return
	}
	if _, known := ps[device]; !known && len(ps) >= maxPaces {
		ps.forget()
	}
	ps[device] = p
}

// forget makes room for a quarter of what there may be, so that not each device that goes has all of them looked at.
func (ps paces) forget() {
	for device, p := range ps {
		if !p.spent() {
			delete(ps, device)
		}
	}
	for device := range ps {
		if len(ps) <= maxPaces*3/4 {
			return
		}
		delete(ps, device)
	}
}
