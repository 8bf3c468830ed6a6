// Command yanlink runs the messaging server: clustered WebSocket messaging with durable proof of delivery.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
)

const usage = `yanlink is a durable messaging server: WebSocket for web front ends, REST for other services.

  yanlink [-config FILE]      run the server; without a file, the embedded default: data in ./data, 127.0.0.1:8084
  yanlink check-config FILE   say everything that is wrong with a configuration
  yanlink check-store DIR     verify every invariant of a ledger that no server has open
  yanlink [-config FILE] check-store
                              the same of the configured ledger; a database may be in use meanwhile
  yanlink [-config FILE] backup DIR
                              copy the embedded ledger into a folder that is empty or not there. A node goes on meanwhile,
                              and makes the copy itself, asked over server.admin on its own machine; without a node the
                              command makes it. What was accepted before is in it; store.dir may point to it
  yanlink [-config FILE] migrate
                              make the tables of the configured database, or bring them to this version's format
  yanlink export DIR          write all that a ledger holds, which no server has open, to the standard output
  yanlink [-config FILE] import
                              take an export from the standard input into the configured database, which is empty, and
                              read each record back: yanlink export data | yanlink -config FILE import
  yanlink [-config FILE] new-epoch
                              after a ledger was restored without all that had been committed, and before a node starts
  yanlink topics              make the topics of a cluster's nodes in RocketMQ, or delete those of nodes that are gone
  yanlink -version            print the version
  yanlink -help               print this

Every key of the configuration is also an environment variable: server.listen is YANLINK_SERVER_LISTEN. A secret may
stand in a file: YANLINK_AUTH_SERVICEKEYS_FILE. All keys, defaults and units: docs/configuration.md.

The first SIGTERM or SIGINT drains: sessions are sent elsewhere, what is under way is finished. A second one stops at
once, which is safe too.
`

// The exit codes.
const (
	exitOK    = 0
	exitFault = 1
	exitUsage = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("yanlink", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {} // a text that was asked for belongs elsewhere than one that was not
	file := flags.String("config", "", "the configuration `file`")
	showVersion := flags.Bool("version", false, "print the version")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		_, _ = fmt.Fprint(stdout, usage)
		return exitOK
	case err != nil:
		_, _ = fmt.Fprint(stderr, usage)
		return exitUsage
	case *showVersion:
		_, _ = fmt.Fprintln(stdout, "yanlink", app.Version)
		return exitOK
	}
	switch words := flags.Args(); {
	case len(words) == 0:
		return serve(*file, stderr)
	case words[0] == "check-config" && len(words) == 2 && words[1] != "":
		return checkConfig(words[1], stdout, stderr)
	case words[0] == "check-store" && len(words) == 2:
		return checkStore(words[1], stdout, stderr)
	case words[0] == "check-store" && len(words) == 1:
		return configured(*file, stderr, func(ctx context.Context, cfg *configs.Config) error {
			problems, err := app.CheckLedger(ctx, cfg, stdout)
			return checked(problems, "the ledger", err, stdout)
		})
	case words[0] == "backup" && len(words) == 2 && words[1] != "":
		return configured(*file, stderr, func(ctx context.Context, cfg *configs.Config) error { return app.Backup(ctx, cfg, words[1], stdout) })
	case words[0] == "migrate" && len(words) == 1:
		return configured(*file, stderr, func(ctx context.Context, cfg *configs.Config) error { return app.Migrate(ctx, cfg, stdout) })
	case words[0] == "export" && len(words) == 2:
		return export(words[1], stdout, stderr)
	case words[0] == "import" && len(words) == 1:
		return configured(*file, stderr, func(ctx context.Context, cfg *configs.Config) error { return app.Import(ctx, cfg, os.Stdin, stderr) })
	case words[0] == "new-epoch" && len(words) == 1:
		return configured(*file, stderr, func(ctx context.Context, cfg *configs.Config) error { return app.NewEpoch(ctx, cfg, stdout) })
	case words[0] == "topics":
		return topics(*file, words[1:], stdout, stderr)
	}
	_, _ = fmt.Fprint(stderr, usage)
	return exitUsage
}

func fail(stderr io.Writer, err error) int {
	_, _ = fmt.Fprintln(stderr, "yanlink:", err)
	return exitFault
}

func checkConfig(file string, stdout, stderr io.Writer) int {
	cfg, err := app.LoadConfig(context.Background(), file)
	if err == nil {
		err = app.Check(cfg)
	}
	if err != nil {
		return fail(stderr, err)
	}
	_, _ = fmt.Fprintln(stdout, file, "is valid")
	return exitOK
}

func checkStore(dir string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	problems, err := app.CheckStore(ctx, dir, stdout)
	if err := checked(problems, dir, err, stdout); err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

func export(dir string, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := app.Export(ctx, dir, stdout, stderr); err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

// checked says what came of the check of a ledger.
func checked(problems int, what string, err error, stdout io.Writer) error {
	switch {
	case err != nil:
		return err
	case problems > 0:
		return fmt.Errorf("%d problems in %s; keep a copy of it and restore a backup", problems, what)
	}
	_, _ = fmt.Fprintln(stdout, what, "holds every invariant")
	return nil
}

// configured runs a command on what the configuration names; a signal ends it.
func configured(file string, stderr io.Writer, command func(ctx context.Context, cfg *configs.Config) error) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, err := app.LoadConfig(ctx, file)
	if err == nil {
		err = command(ctx, cfg)
	}
	if err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

// serve runs the server until a signal ends it or it fails.
func serve(file string, stderr io.Writer) int {
	cfg, err := app.LoadConfig(context.Background(), file)
	if err != nil {
		return fail(stderr, err)
	}
	floor := heapFloor()
	defer runtime.KeepAlive(floor)
	gin.SetMode(gin.ReleaseMode)
	server, err := app.NewServer(cfg)
	if err != nil {
		return fail(stderr, err)
	}
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	signalled, err := start(server, signals)
	if err != nil {
		return fail(stderr, err)
	}
	if !signalled {
		signalled, err = wait(server, signals)
	}
	if signalled {
		err = drain(server, signals)
	}
	if err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

// heapFloor returns 32 MiB that are never touched, and so take none. They count as in use, which lets the garbage of a small server
// grow by as much before it is collected: with a heap of 20 MiB that was many times a second, and an eighth of the processor
// (golang/go issue 23044). Whoever sets GOGC or GOMEMLIMIT has decided.
func heapFloor() []byte {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return nil
	}
	return make([]byte, 32<<20)
}

// start waits until the server serves. A signal ends that; one that comes when it just serves is reported for what it is.
func start(server *app.Server, signals <-chan os.Signal) (signalled bool, err error) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	started := make(chan error, 1)
	go func() { started <- server.Start(ctx) }()
	select {
	case err := <-started:
		return false, err
	case <-signals:
		cancel()
	}
	if err := <-started; err != nil {
		return true, fmt.Errorf("a signal ended the start: %w", err)
	}
	return true, nil
}

// wait returns when the server has ended, with why, or when there is a signal.
func wait(server *app.Server, signals <-chan os.Signal) (signalled bool, err error) {
	failed := make(chan error, 1)
	go func() { failed <- server.Wait() }()
	select {
	case err := <-failed:
		return false, err
	case <-signals:
		return true, nil
	}
}

// drain stops the server in an orderly way; another signal stops it at once, which the ledger makes safe.
func drain(server *app.Server, signals <-chan os.Signal) error {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	stopped := make(chan error, 1)
	go func() { stopped <- server.Stop(ctx) }()
	select {
	case err := <-stopped:
		return err
	case <-signals:
		return server.Close()
	}
}
