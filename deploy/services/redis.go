package services

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"os/exec"
	"strings"
	"syscall"
)

var redis = software{
	port:     16379,
	programs: []program{{"redis-server", "redis-server"}},
	stop:     syscall.SIGTERM,
	command: func(s Spec) *exec.Cmd {
		return exec.Command(locate("redis-server"), "--bind", loopback, "--port", s.port(), "--dir", s.Dir,
			"--save", "", "--appendonly", "no")
	},
	ready: func(ctx context.Context, i Instance) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", i.Addr)
		if err != nil {
			return err
		}
		defer conn.Close()
		defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
		if _, err := conn.Write([]byte("PING\r\n")); err != nil {
			return err
		}
		answer, err := bufio.NewReader(conn).ReadString('\n')
		if err == nil && strings.TrimSpace(answer) != "+PONG" {
			err = fmt.Errorf("it answers PING with %q", answer)
		}
		return err
	},
}
