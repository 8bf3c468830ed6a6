package ws

import "time"

const (
	// retentionStep is how often a part of what has an age is looked through, and retentionPause how long it is until that
	// begins anew.
	retentionStep  = 10 * time.Second
	retentionPause = time.Hour
)

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
	done, err := r.look()
	if err != nil && r.g.serving.Err() == nil {
		r.g.log.Warn(r.what+" that are kept no longer were not removed; they are later", "error", err)
	}
	if done && err == nil {
		r.rest(retentionPause)
	} else {
		r.rest(retentionStep)
	}
}
