package bench

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
)

const (
	// neighbourCommand is the command by which the program is a bad neighbour.
	neighbourCommand = "neighbour"
	// neighbourAddress is another than the good clients', since limits count by address.
	neighbourAddress = "127.0.0.66"
	// neighbourEnd bounds a bad neighbour that nobody ends.
	neighbourEnd = 10 * time.Minute
)

// neighbour is the command: it prints a line when it can be interrupted, misbehaves until it is, and prints what it got.
func neighbour(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet(neighbourCommand, flag.ContinueOnError)
	flags.SetOutput(stderr)
	target := flags.String("target", "", "loopback `address` of the server")
	trouble := flags.String("trouble", "", "what it does: connects, reconnects, frames, syncs, calls or half-open")
	rate := flags.Float64("rate", 10_000, "connects, frames or calls a second")
	if err := flags.Parse(args); err != nil {
		return usageCode(err)
	}
	ctx, cancel := context.WithTimeout(ctx, neighbourEnd)
	defer cancel()
	_, _ = fmt.Fprintln(stdout) // who cannot be told sees that it ends
	did, err := scenario.Misbehave(ctx, scenario.Target{Addr: *target}, netip.MustParseAddr(neighbourAddress), scenario.Trouble(*trouble), *rate)
	if err == nil {
		err = json.NewEncoder(stdout).Encode(did)
	}
	return exit(stderr, err)
}

// nuisance is a bad neighbour in a process of its own.
type nuisance struct {
	cmd    *exec.Cmd
	stdout io.Reader
	stderr bytes.Buffer
}

// disturb starts one. It has the lowest priority: on a machine of its own it would take no processor from the server
// either.
func disturb(ctx context.Context, target scenario.Target, trouble scenario.Trouble, rate float64) (*nuisance, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	n := &nuisance{}
	n.cmd = exec.CommandContext(ctx, "nice", "-n", "19", self, neighbourCommand,
		"-target", target.Addr, "-trouble", string(trouble), "-rate", fmt.Sprint(rate))
	n.cmd.Stderr = &n.stderr
	if n.stdout, err = n.cmd.StdoutPipe(); err != nil {
		return nil, err
	}
	if err := n.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start a bad neighbour: %w", err)
	}
	if _, err := n.stdout.Read(make([]byte, 1)); err != nil {
		return nil, fmt.Errorf("a bad neighbour: %w; it wrote: %s", errors.Join(err, n.cmd.Wait()), n.stderr.String())
	}
	return n, nil
}

// stop ends it and returns what it did.
func (n *nuisance) stop() (did scenario.Neighbour, err error) {
	signaled := n.cmd.Process.Signal(os.Interrupt)
	said, err := io.ReadAll(n.stdout)
	err = errors.Join(signaled, err, n.cmd.Wait())
	if err == nil {
		err = json.Unmarshal(said, &did)
	}
	if err != nil {
		err = fmt.Errorf("a bad neighbour: %w; it wrote: %s", err, n.stderr.String())
	}
	return did, err
}
