package rocketbus

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"
)

// watchInterval is how often a watched broker is asked something: it ends connections that are silent for two minutes.
const watchInterval = 30 * time.Second

// watch returns an error when a broker has ended, or ctx has. It knows by a connection of its own, at once. The client's
// pulls do not: those hang for half a minute when their connection breaks. A broker that only hangs has not ended.
func (a *admin) watch(ctx context.Context, addr, topic string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	for {
		if _, _, err := exchange(conn, a.sign(pingOf(topic))); err != nil {
			return fmt.Errorf("the broker %s has gone: %w", addr, err)
		}
		if err := silent(conn, watchInterval); err != nil {
			return fmt.Errorf("the broker %s has gone: %w", addr, err)
		}
	}
}

// silent returns nil when nothing has come on a connection for so long, as it should be.
func silent(conn net.Conn, long time.Duration) error {
	if err := conn.SetReadDeadline(time.Now().Add(long)); err != nil {
		return err
	}
	_, err := conn.Read(make([]byte, 1))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return conn.SetReadDeadline(time.Time{})
	case err == nil:
		return errors.New("it says what it was not asked")
	}
	return err
}
