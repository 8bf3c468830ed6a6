package redisregistry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/go-redis/v9"

	"github.com/yanlink/yanlink/ws"
)

var errClosed = errors.New("the registry is closed")

// Registry is one node's access to the registry.
type Registry struct {
	opt    Options
	client redis.UniversalClient
	where  string
	closed atomic.Bool

	joined  atomic.Int64  // when this node last joined, by the clock of Redis; 0: not yet
	seen    atomic.Int64  // its last beat, by the same clock
	renewed atomic.Uint64 // how far renew has come in this node's index

	suspects atomic.Pointer[[]string] // sessions whose routes the last beat did not find
}

var _ ws.Registry = (*Registry)(nil)

// New opens the registry for one node. It connects when it is first asked.
func New(opt Options) (*Registry, error) {
	if err := opt.complete(); err != nil {
		return nil, err
	}
	r := &Registry{opt: opt, client: opt.Client, where: opt.where()}
	if r.client == nil {
		r.client = opt.connect()
	}
	return r, nil
}

// Close implements ws.Registry.
func (r *Registry) Close() error {
	if r.closed.Swap(true) || r.opt.Client != nil {
		return nil
	}
	return r.client.Close()
}

// usable returns what forbids a call.
func (r *Registry) usable(ctx context.Context) error {
	if r.closed.Load() {
		return errClosed
	}
	return ctx.Err()
}

// failed says what was attempted, where.
func (r *Registry) failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("redis at %s: %s: %w", r.where, fmt.Sprintf(format, args...), err)
}

const (
	serversKey = "yan_websocket_server"
	lockKey    = "yan_reaper_lock"
)

func indexKey(address string) string { return "yan_serverclients_" + address }

func clientKey(user string) string { return "yan_client_" + user }

// userOf cuts the user out of a session id, <ip>:<port>_<openid>_<yyyyMMddHHmmss>[-n], of the node at address. An openid
// may hold anything, _ too. What is no session id gives a user that nobody is.
func userOf(sessionID, address string) string {
	user := strings.TrimPrefix(sessionID, address+"_")
	if end := strings.LastIndexByte(user, '_'); end >= 0 {
		user = user[:end]
	}
	return user
}
