// Command loadgen loads a Yanlink server on this machine and compares what it costs with a bare relay that promises
// nothing. See loadgen -help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/bench"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := bench.Main(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
