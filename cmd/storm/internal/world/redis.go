package world

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"strings"
)

// FlushRedis makes Redis forget everything.
func (b *Backends) FlushRedis(ctx context.Context) error {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.Redis.Addr)
	if err != nil {
		return fmt.Errorf("flush Redis: %w", err)
	}
	defer func() { _ = conn.Close() }()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Write([]byte("FLUSHALL\r\n")); err != nil {
		return fmt.Errorf("flush Redis: %w", err)
	}
	answer, err := bufio.NewReader(conn).ReadString('\n')
	if err == nil && strings.TrimSpace(answer) != "+OK" {
		err = fmt.Errorf("it answers %q", answer)
	}
	if err != nil {
		return fmt.Errorf("flush Redis: %w", err)
	}
	return nil
}
