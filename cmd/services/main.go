// Services runs the servers that the cluster's tests need, one of each kind, on fixed ports of 127.0.0.1.
//
//	go run ./cmd/services up|down|status|env|install [kind ...]
//	go run ./cmd/services run [kind ...] -- program [argument ...]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"

	"github.com/yanlink/yanlink/deploy/services"
)

const usage = `Services runs the servers that the cluster's tests need, one of each kind, on fixed ports of 127.0.0.1.

usage: services COMMAND [KIND ...]

  up       install what is missing, start what does not run, and wait until all are ready
  down     stop what up has started
  run [KIND ...] -- PROGRAM [ARGUMENT ...]
           run a program between up and down; what up was asked for before, or another run needs, stays up
  status   print what runs
  env      print their addresses as lines for a shell
  install  only install

Kinds are %v; those that need not be named are %v.
`

const programGrace = 30 * time.Second

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	err := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
	case errors.Is(err, errUsage):
		os.Exit(2)
	case err != nil:
		_, _ = fmt.Fprintln(os.Stderr, "services:", err)
		os.Exit(1)
	}
}

var errUsage = errors.New("wrong usage")

// run does what the arguments say. What was asked for goes to out, everything else to progress.
func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("services", flag.ContinueOnError)
	flags.SetOutput(progress)
	flags.Usage = func() {
		_, _ = fmt.Fprintf(flags.Output(), usage, services.Kinds(), services.Defaults())
	}
	if err := flags.Parse(args); err != nil {
		return errors.Join(errUsage, err)
	}
	if flags.NArg() == 0 {
		flags.Usage()
		return errUsage
	}
	names, program := split(flags.Args()[1:])
	kinds, err := parseKinds(names)
	if err != nil {
		return err
	}
	switch command := flags.Arg(0); command {
	case "up":
		return up(ctx, out, progress, kinds)
	case "down":
		return services.Down(ctx, progress, kinds...)
	case "run":
		return during(ctx, progress, kinds, program)
	case "status":
		return printStatus(ctx, out, kinds)
	case "env":
		return printEnv(out, kinds)
	case "install":
		return services.Install(ctx, progress, kinds...)
	default:
		flags.Usage()
		return fmt.Errorf("there is no command %q", command)
	}
}

func parseKinds(names []string) ([]services.Kind, error) {
	if len(names) == 0 {
		return services.Defaults(), nil
	}
	var kinds []services.Kind
	for _, name := range names {
		kind, err := services.ParseKind(name)
		if err != nil {
			return nil, err
		}
		kinds = append(kinds, kind)
	}
	return kinds, nil
}

// split cuts a program to run from the kinds before it.
func split(args []string) (kinds, program []string) {
	if i := slices.Index(args, "--"); i >= 0 {
		return args[:i], args[i+1:]
	}
	return args, nil
}

func during(ctx context.Context, progress io.Writer, kinds []services.Kind, program []string) error {
	if len(program) == 0 {
		return errors.New("run what? write: services run -- PROGRAM")
	}
	if err := services.Install(ctx, progress, kinds...); err != nil {
		return err
	}
	return services.With(ctx, progress, kinds, func() error {
		cmd := exec.CommandContext(ctx, program[0], program[1:]...)
		cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) } // it ends as it does at Ctrl-C
		cmd.WaitDelay = programGrace
		return cmd.Run()
	})
}

func up(ctx context.Context, out, progress io.Writer, kinds []services.Kind) error {
	if err := services.Install(ctx, progress, kinds...); err != nil {
		return err
	}
	if err := services.Up(ctx, progress, kinds...); err != nil {
		return err
	}
	return printStatus(ctx, out, kinds)
}

func printStatus(ctx context.Context, out io.Writer, kinds []services.Kind) error {
	states, err := services.Status(ctx, kinds...)
	if err != nil {
		return err
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	_, _ = fmt.Fprintln(table, "KIND\tADDRESS\tPROCESS\tSTATE\tFOLDER")
	for _, s := range states {
		_, _ = fmt.Fprintf(table, "%s\t%s\t%d\t%s\t%s\n", s.Kind, s.Addr, s.PID, word(s), s.Dir)
	}
	return table.Flush()
}

func word(s services.State) string {
	switch {
	case s.PID != 0 && s.Problem == nil:
		return "ready"
	case s.PID != 0:
		return "not ready"
	case s.Problem == nil:
		return "ready, not ours"
	default:
		return "down"
	}
}

func printEnv(out io.Writer, kinds []services.Kind) error {
	for _, kind := range kinds {
		name, value, _ := strings.Cut(services.Default(kind).Env(), "=")
		if _, err := fmt.Fprintf(out, "export %s='%s'\n", name, value); err != nil {
			return err
		}
	}
	return nil
}
