package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
)

const topicsUsage = `yanlink topics makes and deletes what the nodes of a cluster listen by in RocketMQ.

  yanlink topics create [-config FILE] [NODE…]
      make the topics and groups of nodes, and the topics of events, on all brokers; without NODE, of the node that the
      configuration is of. For brokers that make no topic by themselves, with bus.rocketmq.createTopics: false.
      What is there already stays.

  yanlink topics prune [-config FILE] [-yes] [NODE…]
      list the nodes that have topics and are not in the registry; with -yes, delete their topics and groups. Those of
      each NODE stay: name the nodes that are down and will come back.
`

// topicsCommand does something with the topics of nodes and returns which nodes these were.
type topicsCommand struct {
	do   func(ctx context.Context, cfg *configs.Config, nodes ...string) ([]string, error)
	done string // of each of them
	none string // if there was none
}

func topicsCommandOf(verb string, yes bool) (command topicsCommand, ok bool) {
	switch {
	case verb == "create" && !yes:
		return topicsCommand{do: app.CreateTopics, done: "its topics are there"}, true
	case verb == "prune" && yes:
		return topicsCommand{do: app.PruneTopics, done: "its topics were deleted", none: "no node is gone"}, true
	case verb == "prune":
		return topicsCommand{do: app.GoneNodes, done: "is gone; -yes deletes its topics", none: "no node is gone"}, true
	}
	return topicsCommand{}, false
}

func topics(file string, words []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("yanlink topics", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {}
	flags.StringVar(&file, "config", file, "the configuration `file`")
	yes := flags.Bool("yes", false, "delete")
	verb := ""
	if len(words) > 0 && !strings.HasPrefix(words[0], "-") {
		verb, words = words[0], words[1:]
	}
	err := flags.Parse(words)
	command, ok := topicsCommandOf(verb, *yes)
	switch {
	case errors.Is(err, flag.ErrHelp):
		_, _ = fmt.Fprint(stdout, topicsUsage)
		return exitOK
	case err != nil || !ok:
		_, _ = fmt.Fprint(stderr, topicsUsage)
		return exitUsage
	}
	if err := command.run(file, flags.Args(), stdout); err != nil {
		return fail(stderr, err)
	}
	return exitOK
}

func (c topicsCommand) run(file string, nodes []string, stdout io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	cfg, err := app.LoadConfig(ctx, file)
	if err != nil {
		return err
	}
	done, err := c.do(ctx, cfg, nodes...)
	for _, node := range done {
		_, _ = fmt.Fprintf(stdout, "%s: %s\n", node, c.done)
	}
	if err != nil {
		return errors.New(strings.ReplaceAll(err.Error(), "\n", "; ")) // one line, whoever else did not answer
	}
	if len(done) == 0 {
		_, _ = fmt.Fprintln(stdout, c.none)
	}
	return nil
}
