package scenario

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"time"
)

const (
	// halves is how many requests stand half open at one time.
	halves = 500
	// drip is the time between two bytes of a header that never ends.
	drip = time.Second
)

// halfOpen begins requests and never finishes them: half of them say nothing more, half send one byte of a header after
// the other. What the server closes is begun anew.
func (v *vandal) halfOpen(ctx context.Context) error {
	group := make(chan bool, halves)
	for i := range halves {
		group <- i%2 == 0
	}
	return many(halves, func() {
		dripping := <-group
		for v.next(ctx) {
			v.begin(ctx, dripping)
		}
	})
}

func (v *vandal) begin(ctx context.Context, dripping bool) {
	within, cancel := context.WithTimeout(ctx, neighbourTimeout)
	defer cancel()
	conn, err := v.dial.Connect(within, v.addr)
	if err != nil {
		if ctx.Err() == nil {
			v.got("no connection")
		}
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	_, err = io.WriteString(conn, "GET /ws HTTP/1.1\r\nHost: "+v.addr+"\r\nUpgrade: websocket\r\nX-Long: ")
	for err == nil {
		if err = await(conn); errors.Is(err, os.ErrDeadlineExceeded) {
			err = nil
			if dripping {
				_, err = io.WriteString(conn, "x")
			}
		}
	}
	if ctx.Err() == nil {
		v.got("closed")
	}
}

// await reads for as long as it takes until the next drip.
func await(conn net.Conn) error {
	if err := conn.SetReadDeadline(time.Now().Add(drip)); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 512))
	return err
}
