package app

import (
	"context"
	"database/sql"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/redis/go-redis/v9"

	"github.com/yanlink/yanlink/ws"
)

// options are what a host gives besides the configuration.
type options struct {
	authenticator ws.Authenticator
	authorizer    ws.Authorizer
	beforeSend    func(context.Context, *ws.Draft) error
	devSSO        bool
	log           *slog.Logger
	registerer    prometheus.Registerer
	store         ws.Store
	db            *sql.DB
	redis         redis.UniversalClient
	clock         ws.Clock
	eventSink     ws.EventSink
	starting      context.Context
	advertise     string // of a Server: the address it listens on
	standalone    bool
}

// Option changes how a Bundle is built.
type Option func(*options)

// WithAuthenticator says who checks tokens, in place of sso.url. Its answers are cached as those of sso.url are. It is
// asked again about tokens of live connections.
func WithAuthenticator(a ws.Authenticator) Option { return func(o *options) { o.authenticator = a } }

// WithAuthorizer says who may write to whom, see whom come and go, and read what history. Default: everybody may, of what is
// theirs.
func WithAuthorizer(a ws.Authorizer) Option { return func(o *options) { o.authorizer = a } }

// WithBeforeSend sets a hook that sees every message before it is written, and may change or refuse it. A
// *protocol.Error is shown to the client. The draft of a broadcast names no recipients.
func WithBeforeSend(hook func(context.Context, *ws.Draft) error) Option {
	return func(o *options) { o.beforeSend = hook }
}

// WithDevSSO mounts the development SSO while neither sso.url nor an authenticator is set: anybody on this machine can
// log in as anyone. It answers on loopback only.
func WithDevSSO() Option { return func(o *options) { o.devSSO = true } }

// WithLogger says where the log goes. Default: nowhere. No token and no message ever stands in it.
func WithLogger(log *slog.Logger) Option { return func(o *options) { o.log = log } }

// WithRegisterer says where the metrics are registered, until Stop. Default: a registry of the Bundle's own, which
// MountAdmin shows.
func WithRegisterer(r prometheus.Registerer) Option { return func(o *options) { o.registerer = r } }

// WithContext ends New's wait for a database that does not answer when ctx ends. Default: only store.startTimeout does.
func WithContext(ctx context.Context) Option { return func(o *options) { o.starting = ctx } }

// WithStore gives a ledger, in place of the one that store.driver names. Whoever opened it closes it, after Stop.
func WithStore(s ws.Store) Option { return func(o *options) { o.store = s } }

// WithDB gives the database of the ledger, in place of store.dsn; store.driver says what it is. Whoever opened it closes
// it, after Stop.
func WithDB(db *sql.DB) Option { return func(o *options) { o.db = db } }

// WithRedis gives the connection of the registry, in place of registry.redis; it has to have ContextTimeoutEnabled.
// Whoever opened it closes it, after Stop.
func WithRedis(client redis.UniversalClient) Option { return func(o *options) { o.redis = client } }

// WithEventSink takes the events for other systems, in place of RocketMQ and whatever events.enabled says. The topics are
// those of RocketMQ.
func WithEventSink(sink ws.EventSink) Option { return func(o *options) { o.eventSink = sink } }

// WithClock sets the clock that records and tokens go by. Default: the wall clock.
func WithClock(c ws.Clock) Option { return func(o *options) { o.clock = c } }

// asServer is what a Server adds: its address, its page, and the development SSO where nothing else is configured.
func asServer(advertise string) Option {
	return func(o *options) { o.standalone, o.devSSO, o.advertise = true, true, advertise }
}
