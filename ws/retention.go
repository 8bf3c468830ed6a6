package ws

import (
	"errors"
	"time"
)

const (
	// retentionStep is how long it is at most from one part of what has an age to the next one, and retentionShare how many
	// times as long as the part took it is where that is less: millions of conversations are gone through in hours, and the
	// ledger is left alone most of the time. It is retentionPause until that begins anew.
	retentionStep  = 10 * time.Second
	retentionShare = 10
	retentionPause = time.Hour
)

// errElsewhere says that another node goes through what has an age.
var errElsewhere = errors.New("another node does it")

// retention removes what is older than it is kept, a part at a time.
type retention struct {
	g    *Gateway
	what string        // is removed
	kept time.Duration // not above 0: for ever
	next Millis
	// look goes through the next part; done says that it was the last one, and that the next one is the first again.
	look func() (done bool, err error)
}

func newRetention(g *Gateway, what string, kept time.Duration, look func() (done bool, err error)) *retention {
	r := &retention{g: g, what: what, kept: kept, look: look}
	r.rest(retentionStep)
	return r
}

func (r *retention) rest(d time.Duration) { r.next = r.g.mono() + millis(min(d, r.kept)) }

// step looks through the next part when its time has come.
func (r *retention) step() {
	if r.kept <= 0 || r.g.mono() < r.next {
		return
	}
	began := r.g.mono()
	done, err := r.look()
	switch took := r.g.mono() - began; {
	case errors.Is(err, errElsewhere):
		r.rest(retentionStep)
	case err != nil:
		if r.g.serving.Err() == nil {
			r.g.log.Warn(r.what+" that are kept no longer were not removed; they are later", "error", err)
		}
		r.rest(retentionStep)
	case done:
		r.rest(retentionPause)
	default:
		r.rest(min(retentionStep, time.Duration(retentionShare*took)*time.Millisecond))
	}
}
