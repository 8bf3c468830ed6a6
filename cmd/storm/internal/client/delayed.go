package client

import (
	"context"
	"net/http"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

const (
	// delayedShare is the share of REST sends that are delayed, by up to maxDelay seconds.
	delayedShare = 0.4
	maxDelay     = 3
	// cancelShare is the share of delayed messages that are cancelled; some of the cancels come too late.
	cancelShare = 0.4
)

// delayed is a message of this device that waits in the server to be sent.
type delayed struct {
	message     *message
	scheduledID string
	due         time.Time
	cancelAt    time.Time // zero: never
	cancels     int       // how often that was asked for
}

// scheduled takes the answer that a message waits. A repeat is answered alike: another id would say that the server forgot the
// message, and has it now only because it was repeated.
func (d *Device) scheduled(m *message, id string) {
	for _, x := range d.delayed {
		if x.message == m {
			if x.scheduledID != id {
				d.unexpected("the delayed " + m.id + " was forgotten, and is scheduled anew")
			}
			return
		}
	}
	d.Log.Add(history.Event{Kind: history.Scheduled, Device: d.Device, Door: history.REST, MsgID: m.id})
	wait := time.Duration(m.delay) * time.Second
	x := &delayed{message: m, scheduledID: id, due: time.Now().Add(wait)}
	if d.chance(cancelShare) {
		x.cancelAt = time.Now().Add(time.Duration(d.rand.Int64N(int64(wait) * 5 / 4)))
	}
	d.delayed = append(d.delayed, x)
}

// lookAfterDelayed cancels what is to be cancelled, and learns where those stand that were sent, by repeating them.
func (d *Device) lookAfterDelayed(ctx context.Context) {
	d.mu.Lock()
	waiting := append([]*delayed(nil), d.delayed...)
	d.mu.Unlock()
	for _, x := range waiting {
		now := time.Now()
		switch {
		case ctx.Err() != nil:
			return
		case !x.cancelAt.IsZero() && now.After(x.cancelAt):
			d.cancel(ctx, x)
		case now.After(x.due):
			d.post(ctx, x.message)
			d.mu.Lock()
			if x.message.position.Seq != 0 {
				d.endDelayed(x)
			}
			d.mu.Unlock()
		}
	}
}

// cancel asks once that a message is not sent. Once it was sent that is refused, and what was cancelled is not there.
func (d *Device) cancel(ctx context.Context, x *delayed) {
	x.cancels++
	status, err := d.call(ctx, http.MethodDelete, "/api/v1/scheduled/"+x.scheduledID, http.Header{}, nil, new(any))
	if err != nil || again(status) {
		return // asked again at the next look
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case status == http.StatusConflict:
		x.cancelAt = time.Time{}
		return
	case status == http.StatusOK, status == http.StatusNotFound && x.cancels > 1:
		d.Log.Add(history.Event{Kind: history.Cancelled, Device: d.Device, Door: history.REST, MsgID: x.message.id})
	default:
		d.unexpected("a cancel of " + x.message.id + " is answered by " + http.StatusText(status))
	}
	d.endDelayed(x)
}

func (d *Device) endDelayed(x *delayed) {
	for i, other := range d.delayed {
		if other == x {
			d.delayed = append(d.delayed[:i], d.delayed[i+1:]...)
			return
		}
	}
}
