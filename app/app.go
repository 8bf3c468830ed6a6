package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/yanlink/yanlink/clients/nacos"
	"github.com/yanlink/yanlink/clients/rocketbus"
	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// Bundle is Yanlink as a part of a Gin application.
type Bundle struct {
	cfg       *configs.Config
	opt       options
	log       *slog.Logger
	store     ws.Store
	registry  ws.Registry // nil: this node is alone
	tokens    sso.Shared  // nil: each node asks about tokens for itself
	tickets   *sso.Tickets
	bus       ws.Bus         // nil: this node is alone
	events    ws.EventSink   // nil: other systems are told nothing
	rocket    *rocketbus.Bus // nil: nothing needed it
	gateway   *ws.Gateway
	auth      ws.Authenticator
	client    *sso.Client      // of sso.url; nil without one
	dev       *devSSO          // nil where there is none
	announcer *nacos.Announcer // nil without discovery
	metrics   *metrics
	gate      *middleware.Gate
	bases     atomic.Pointer[[][]string] // where it is mounted, by segments
	backupKey string                     // of orders for a backup; empty where none are taken

	registerer prometheus.Registerer
	gatherer   prometheus.Gatherer // nil if the host's registry cannot be read

	state     atomic.Int32
	starting  sync.Mutex // held by Start and Stop
	stopAsked context.Context
	askStop   context.CancelFunc
	cleanups  []cleanup
	stopOnce  sync.Once
	stopErr   error
}

// New builds a Bundle; a nil cfg is configs.Default(). The error says all that is wrong with the configuration, or what
// cannot be opened and what to do about it. cfg is not to be changed afterwards.
func New(cfg *configs.Config, opts ...Option) (*Bundle, error) {
	if cfg == nil {
		cfg = configs.Default()
	}
	b := &Bundle{cfg: cfg}
	for _, opt := range opts {
		opt(&b.opt)
	}
	b.log = b.opt.log
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	if b.opt.starting == nil {
		b.opt.starting = context.Background()
	}
	if b.opt.clock == nil {
		b.opt.clock = time.Now
	}
	b.stopAsked, b.askStop = context.WithCancel(context.Background())
	if err := b.build(); err != nil {
		b.askStop()
		return nil, errors.Join(err, b.cleanUp())
	}
	return b, nil
}

func (b *Bundle) build() error {
	if err := b.check(); err != nil {
		return err
	}
	for _, step := range []func() error{b.openStore, b.register, b.joinCluster, b.openEvents, b.buildAuthentication, b.buildGateway, b.buildAnnouncer, b.watchDependencies} {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

func (b *Bundle) buildGateway() error {
	gateway, err := ws.New(b.store, b.engineOptions())
	if err != nil {
		return fmt.Errorf("build the engine: %w", err)
	}
	b.gateway = gateway
	b.gate = middleware.NewGate(func() { b.metrics.refusedRequest(protocol.RateLimited) })
	return nil
}

// Send sends a message to each recipient of a draft and returns when it is committed: what got no error in its Result
// is durable and will be delivered. A repeat with the same MsgID takes effect once.
func (b *Bundle) Send(ctx context.Context, draft ws.Draft) (ws.SendResult, error) {
	if !b.serving() {
		return ws.SendResult{}, errNotServing
	}
	return b.gateway.Send(ctx, draft)
}

var errNotServing = protocol.NewError(protocol.Draining, "the node does not serve now; try another, or again later")
