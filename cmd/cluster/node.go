package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/yanlink/yanlink/deploy/deathsig"
	"github.com/yanlink/yanlink/deploy/freeport"
	"github.com/yanlink/yanlink/deploy/services"
)

// stopTime is how long a node may take to drain.
const stopTime = 10 * time.Second

// node is one process of the cluster.
type node struct {
	id      string
	address string
	program string
	env     []string
	out     io.Writer
}

func build(ctx context.Context, program string) error {
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/yanlink/yanlink")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("build the server: %w", err)
	}
	return nil
}

func newNode(id, program, dir, driver, dsn string, out io.Writer) (*node, error) {
	address, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	return &node{id: id, address: address, program: program, out: out, env: append(os.Environ(),
		"YANLINK_NODE_ID="+id, "YANLINK_NODE_ADVERTISE="+address,
		"YANLINK_SERVER_LISTEN="+address, "YANLINK_SERVER_ADMIN=",
		"YANLINK_STORE_DRIVER="+driver, "YANLINK_STORE_DSN="+dsn, "YANLINK_STORE_DIR="+dir,
		"YANLINK_REGISTRY_DRIVER=redis", "YANLINK_REGISTRY_REDIS_ADDRS="+services.Default(services.Redis).Addr,
		"YANLINK_BUS_DRIVER=rocketmq", "YANLINK_BUS_ROCKETMQ_NAMESERVERS="+services.Default(services.Namesrv).Addr,
		"YANLINK_DRAIN_DELAY=0s", "YANLINK_DRAIN_SPREAD=1s", "YANLINK_DRAIN_TIMEOUT=8s",
	)}, nil
}

// run keeps the node running until ctx ends: one that was killed comes back after a while. A node that ends by itself is
// an error.
func (n *node) run(ctx context.Context, restart time.Duration) error {
	for ctx.Err() == nil {
		err := n.once(ctx)
		var exit *exec.ExitError
		switch {
		case ctx.Err() != nil:
			return nil
		case !errors.As(err, &exit) || exit.Exited():
			return fmt.Errorf("%s has ended: %w; its log says why", n.id, err)
		}
		_, _ = fmt.Fprintf(n.out, "%s was killed; it comes back in %v\n", n.id, restart)
		select {
		case <-ctx.Done():
		case <-time.After(restart):
		}
	}
	return nil
}

func (n *node) once(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, n.program)
	cmd.Env = n.env
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = stopTime
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	deathsig.Set(cmd, syscall.SIGKILL)
	log, write := io.Pipe()
	cmd.Stdout, cmd.Stderr = write, write
	var reading sync.WaitGroup
	reading.Go(func() { n.tell(log) })
	defer reading.Wait()
	defer func() { _ = write.Close() }()
	if err := cmd.Start(); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(n.out, "%s is process %d on %s\n", n.id, cmd.Process.Pid, n.address)
	if err := cmd.Wait(); err != nil {
		return err
	}
	return errors.New("it was asked to stop")
}

// tell passes on what is worth an operator's look.
func (n *node) tell(log io.Reader) {
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		if !strings.Contains(lines.Text(), "level=INFO") {
			_, _ = fmt.Fprintln(n.out, n.id+":", lines.Text())
		}
	}
}
