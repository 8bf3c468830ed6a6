package redisregistry

import (
	"context"
	"embed"
	"errors"
	"slices"

	"github.com/redis/go-redis/v9"
)

//go:embed scripts/*.lua
var sources embed.FS

var (
	putScript    = load("put")
	removeScript = load("remove")
	clearScript  = load("clear")
	beatScript   = load("beat")
	nodesScript  = load("nodes")
	leaveScript  = load("leave")
	fallenScript = load("fallen")
	settleScript = load("settle")
	unlockScript = load("unlock")
)

func load(name string) *redis.Script { return redis.NewScript(source("prelude") + source(name)) }

func source(name string) string {
	text, err := sources.ReadFile("scripts/" + name + ".lua")
	if err != nil {
		panic(err) // it is in the program
	}
	return string(text)
}

// call is one run of a script.
type call struct {
	key   string
	args  []any
	reply *redis.Cmd
}

// atOnce bounds what goes into one round trip, so that nobody else waits long for the server.
const atOnce = 1000

// run runs a script with each call's key, in one round trip, or one for every atOnce. The replies are the calls'; the
// first error among them is returned, and the other calls have taken place nonetheless.
func (r *Registry) run(ctx context.Context, script *redis.Script, calls []*call) error {
	var failed error
	for some := range slices.Chunk(calls, atOnce) {
		r.exec(ctx, some, func(pipe redis.Pipeliner, c *call) *redis.Cmd {
			return script.EvalSha(ctx, pipe, []string{c.key}, c.args...)
		})
		// A server that was started anew knows no script; in a cluster some may, some not.
		r.exec(ctx, unknown(some), func(pipe redis.Pipeliner, c *call) *redis.Cmd {
			return script.Eval(ctx, pipe, []string{c.key}, c.args...)
		})
		for _, c := range some {
			if err := c.reply.Err(); failed == nil && !errors.Is(err, redis.Nil) {
				failed = err
			}
		}
	}
	return failed
}

func (r *Registry) exec(ctx context.Context, calls []*call, queue func(redis.Pipeliner, *call) *redis.Cmd) {
	if len(calls) == 0 {
		return
	}
	pipe := r.client.Pipeline()
	for _, c := range calls {
		c.reply = queue(pipe, c)
	}
	_, _ = pipe.Exec(ctx) // every reply has its error
}

// unknown returns the calls whose server does not have the script.
func unknown(calls []*call) (some []*call) {
	for _, c := range calls {
		if redis.HasErrorPrefix(c.reply.Err(), "NOSCRIPT") {
			some = append(some, c)
		}
	}
	return some
}

// one runs a script once. The error of a script that returns nil is redis.Nil.
func (r *Registry) one(ctx context.Context, script *redis.Script, key string, args ...any) *redis.Cmd {
	return script.Run(ctx, r.client, []string{key}, args...)
}
