package scenario

import (
	"context"
	"errors"
	"strconv"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

// maxConnecting is how many connects are under way at one time; a process has not many more descriptors.
const maxConnecting = 15_000

// notBegun stands for an attempt that was none, since so many were under way.
const notBegun = "not begun"

// connects begins connects at the rate and waits for none of them: an open loop, as of many clients that do not know of each
// other.
func (v *vandal) connects(ctx context.Context) error {
	var group errgroup.Group
	group.SetLimit(maxConnecting)
	for v.next(ctx) {
		if !group.TryGo(func() error { v.connect(ctx); return nil }) {
			v.got(notBegun)
		}
	}
	return group.Wait()
}

// reconnects is the loop of a broken client: who is turned away comes again.
func (v *vandal) reconnects(ctx context.Context) error {
	return many(dialers, func() {
		for v.next(ctx) {
			v.connect(ctx)
		}
	})
}

// connect connects with a good token, and leaves as soon as it has been answered.
func (v *vandal) connect(ctx context.Context) {
	conn, err := v.dial.Dial(ctx, v.addr, v.token, device, neighbourTimeout)
	var refused *wire.StatusError
	switch {
	case err == nil:
		v.got("101")
		_ = conn.Close()
	case errors.As(err, &refused):
		v.got(strconv.Itoa(refused.Status))
	case ctx.Err() == nil:
		v.got("no answer")
	}
}
