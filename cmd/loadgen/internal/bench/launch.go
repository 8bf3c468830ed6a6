package bench

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/child"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/deploy/freeport"
)

// The two that are compared.
const (
	nameYardstick = "yardstick"
	nameYanlink   = "yanlink"
)

const serverPackage = "github.com/yanlink/yanlink"

// settings let Yanlink stop without the courtesies of a release. All else is as it comes.
const settings = `
server:
  listen: %q
  admin: %q
store:
  dir: %q
drain:
  delay: 0s
  spread: 0s
`

// unlimited keeps Yanlink's limits for strangers out of the way of one generator that is a thousand clients.
const unlimited = `limits:
  connectionsPerIP: 0
  connectsPerSecondPerIP: 0
  framesPerSecond: 0
`

// launcher starts servers for one call of the program.
type launcher struct {
	self   string // this program, which is the yardstick too
	server string
	data   string // kept by the user; empty: one for each start
	limits string // settings beside those of every suite
	dir    string // temporary
	starts int
}

// newLauncher prepares the binaries that the contenders need.
func newLauncher(ctx context.Context, o *options, note *scenario.Progress) (*launcher, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	dir, err := os.MkdirTemp("", "loadgen-")
	if err != nil {
		return nil, fmt.Errorf("make a temporary folder: %w", err)
	}
	l := &launcher{self: self, server: o.server, data: o.data, limits: unlimited, dir: dir}
	if o.suite == "neighbours" {
		l.limits = "" // they are what is measured
	}
	if l.server == "" && o.only != nameYardstick {
		note.Step("building %s", serverPackage)
		l.server = filepath.Join(dir, executable("yanlink"))
		build := exec.CommandContext(ctx, "go", "build", "-o", l.server, serverPackage)
		build.Env = append(os.Environ(), "CGO_ENABLED=0") // as what is released
		if out, err := build.CombinedOutput(); err != nil {
			return nil, errors.Join(fmt.Errorf("build the server: %w\n%s", err, out), l.Close())
		}
	}
	return l, nil
}

func executable(name string) string {
	if runtime.GOOS == "windows" {
		return name + ".exe"
	}
	return name
}

// Close removes what was temporary.
func (l *launcher) Close() error { return os.RemoveAll(l.dir) }

// endpoint is a server that runs.
type endpoint struct {
	target   scenario.Target
	profiles string
	stop     func() error
}

// start runs one of the two, fresh.
func (l *launcher) start(ctx context.Context, name string) (*endpoint, error) {
	return l.startOn(ctx, name, l.data)
}

// startEmpty runs Yanlink on an empty ledger, whatever folder the user keeps one in.
func (l *launcher) startEmpty(ctx context.Context) (*endpoint, error) {
	return l.startOn(ctx, nameYanlink, "")
}

func (l *launcher) startOn(ctx context.Context, name, data string) (*endpoint, error) {
	addr, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	l.starts++
	command := child.Command{Name: name, Addr: addr, Log: filepath.Join(l.dir, fmt.Sprintf("%s-%d.log", name, l.starts))}
	profiles := addr
	if name == nameYardstick {
		command.Path, command.Args = l.self, []string{"yardstick", "-listen", addr}
	} else if profiles, err = l.yanlink(&command, data); err != nil {
		return nil, err
	}
	process, err := child.Start(ctx, command)
	if err != nil {
		return nil, err
	}
	target := scenario.Target{Addr: addr, PID: process.PID()}
	return &endpoint{target, profiles, process.Stop}, nil
}

// yanlink completes the command with a configuration of its own and returns the admin address.
func (l *launcher) yanlink(command *child.Command, data string) (admin string, err error) {
	if admin, err = freeport.Address(); err != nil {
		return "", err
	}
	config, err := l.configure(command.Addr, admin, data)
	command.Path, command.Args = l.server, []string{"-config", config}
	return admin, err
}

// configure writes a configuration file. Without a folder for the ledger there is an empty one.
func (l *launcher) configure(addr, admin, data string) (path string, err error) {
	if data == "" {
		if data, err = os.MkdirTemp(l.dir, "ledger-"); err != nil {
			return "", fmt.Errorf("make a folder for the ledger: %w", err)
		}
	}
	path = filepath.Join(l.dir, fmt.Sprintf("yanlink-%d.yaml", l.starts))
	if err := os.WriteFile(path, fmt.Appendf(nil, settings+l.limits, addr, admin, data), 0o600); err != nil {
		return "", fmt.Errorf("write the server's configuration: %w", err)
	}
	return path, nil
}
