package scenario

import (
	"context"
	"errors"
	"strconv"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

// connects connects with a good token, and leaves as soon as it has been answered.
func (v *vandal) connects(ctx context.Context) error {
	return many(dialers, func() {
		for v.next(ctx) {
			v.connect(ctx)
		}
	})
}

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
