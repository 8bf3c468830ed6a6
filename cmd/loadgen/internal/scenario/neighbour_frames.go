package scenario

import (
	"context"
	"errors"
	"fmt"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

// messages sends messages to itself.
func (v *vandal) messages(ctx context.Context) error {
	compose := wire.NewComposer(neighbourName, neighbourName, 128)
	run := fmt.Sprintf("%08x", uint32(v.began.UnixNano()))
	var id []byte
	var counter uint32
	return v.frames(ctx, func(frame []byte) []byte {
		id = wire.AppendMsgID(id[:0], run, 0, counter)
		counter++
		return compose.AppendSend(frame, id)
	})
}

// syncs asks again and again what it has missed.
func (v *vandal) syncs(ctx context.Context) error {
	return v.frames(ctx, func(frame []byte) []byte { return append(frame, `{"type":28,"params":{}}`...) })
}

// frames sends over one connection, and reads what it gets. Whenever it is thrown out it comes back.
func (v *vandal) frames(ctx context.Context, next func(frame []byte) []byte) error {
	for ctx.Err() == nil {
		conn, err := v.dial.Dial(ctx, v.addr, v.token, device, neighbourTimeout)
		if err != nil { // so are those who come from the address of one that has just been shut out
			v.got("no connection")
			_ = sleep(ctx, neighbourTimeout)
			continue
		}
		over, cancel := context.WithCancel(ctx)
		stop := context.AfterFunc(over, func() { _ = conn.Close() })
		var group errgroup.Group
		group.Go(func() error { defer cancel(); return v.listen(conn) })
		group.Go(func() error { defer cancel(); return v.flood(over, conn, next) })
		err = group.Wait()
		stop()
		_ = conn.Close()
		var closed *wire.CloseError
		if errors.As(err, &closed) {
			v.got(fmt.Sprintf("closed with %d", closed.Code))
		} else if ctx.Err() == nil {
			v.got("closed")
		}
	}
	return nil
}

func (v *vandal) flood(ctx context.Context, conn *wire.Conn, next func(frame []byte) []byte) error {
	var frame []byte
	for v.next(ctx) {
		frame = next(frame[:0])
		conn.Append(frame)
		if err := conn.Flush(); err != nil {
			return err
		}
	}
	return nil
}

func (v *vandal) listen(conn *wire.Conn) error {
	for {
		err := conn.Batch(func(frame []byte) error {
			kind, _, err := wire.Scan(frame)
			switch {
			case err != nil:
				return err
			case kind == wire.Refused:
				v.got(code(frame))
			default:
				v.got(fmt.Sprintf("frame %d", kind))
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
}

// code is a refusal's.
func code(frame []byte) string {
	f, err := wire.Decode(frame)
	if err != nil {
		return err.Error()
	}
	return f.Params.Code
}
