package scenario

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

const (
	// settleStep and settleLimit bound the wait for a Go server to give memory back to the system. It has settled when it has
	// given nothing back for stillFor: it may look only now and then whether it is quiet.
	settleStep  = time.Second
	settleLimit = time.Minute
	stillFor    = 15 * time.Second
	collectWait = 10 * time.Second
)

// Crowd is what connections that only stand cost.
type Crowd struct {
	Clients int   `json:"clients"`
	Before  int64 `json:"rss_before_bytes"` // a fresh server
	Raw     int64 `json:"rss_raw_bytes"`    // right after the last connect, garbage of the handshakes included
	Settled int64 `json:"rss_settled_bytes"`

	PerConnection    float64 `json:"bytes_per_connection"`     // settled
	RawPerConnection float64 `json:"raw_bytes_per_connection"` // before anything was collected
}

func (c *Crowd) summarize() {
	c.PerConnection = ratio(float64(c.Settled-c.Before), float64(c.Clients))
	c.RawPerConnection = ratio(float64(c.Raw-c.Before), float64(c.Clients))
}

// Idle connects n clients that say nothing and reads what memory they hold. profiles is the address of the server's
// /debug/pprof, by which its garbage is collected first; empty leaves that to the server. While they
// still stand, meanwhile is called, unless it is nil.
func Idle(ctx context.Context, target Target, profiles string, n int, meanwhile func(context.Context) error, note *Progress) (Crowd, error) {
	crowd := Crowd{Clients: n}
	if n < 1 || target.PID == 0 {
		return crowd, errors.New("idle connections need at least one client and a server whose process is known")
	}
	tokens, err := Login(ctx, target, n)
	if err != nil {
		return crowd, err
	}
	if crowd.Before, err = settle(ctx, target, profiles); err != nil {
		return crowd, err
	}
	conns, err := connect(ctx, target, tokens, nil)
	defer leave(conns)
	if err != nil {
		return crowd, err
	}
	readers := hold(conns)
	defer readers()
	if crowd.Raw, err = measure.RSS(target.PID); err != nil {
		return crowd, err
	}
	crowd.Settled, err = settle(ctx, target, profiles)
	crowd.summarize()
	note.Step("%d connections, %.1f KiB each", n, crowd.PerConnection/1024)
	if err == nil && meanwhile != nil {
		err = meanwhile(ctx)
	}
	return crowd, err
}

// hold answers pings on connections until the function it returns is called.
func hold(conns []*wire.Conn) (release func()) {
	var group errgroup.Group
	var released atomic.Bool
	for _, conn := range conns {
		group.Go(func() error {
			for !released.Load() {
				if err := conn.Batch(func([]byte) error { return nil }); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return func() {
		released.Store(true)
		leave(conns)
		_ = group.Wait()
	}
}

// settle waits until the server's memory no longer falls, and returns it.
func settle(ctx context.Context, target Target, profiles string) (int64, error) {
	if err := collect(ctx, profiles); err != nil {
		return 0, err
	}
	rss, err := measure.RSS(target.PID)
	still := time.Now()
	for end := still.Add(settleLimit); err == nil && time.Now().Before(end) && time.Since(still) < stillFor; {
		if err = sleep(ctx, settleStep); err != nil {
			return rss, err
		}
		var next int64
		if next, err = measure.RSS(target.PID); next < rss-rss/200 {
			still = time.Now()
		}
		rss = next
	}
	return rss, err
}

// collect has the server collect its garbage, twice: what has a finalizer goes only the second time.
func collect(ctx context.Context, profiles string) error {
	if profiles == "" {
		return nil
	}
	if err := wire.Loopback(profiles); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, collectWait)
	defer cancel()
	for range 2 {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+profiles+"/debug/pprof/heap?gc=1", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("have the server collect its garbage: %w", err)
		}
		_, err = io.Copy(io.Discard, response.Body)
		if err = errors.Join(err, response.Body.Close()); err != nil {
			return err
		}
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("have the server collect its garbage: answered with %d", response.StatusCode)
		}
	}
	return nil
}
