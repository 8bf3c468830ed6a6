package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/ws/protocol"
)

// shutdownTimeout is how long requests under way may take once the engine has stopped.
const shutdownTimeout = 5 * time.Second

// Server is the program that is nothing but Yanlink: a Bundle with listeners of its own. Start and Wait are called
// once each; Stop and Close as often as one likes, by anybody.
type Server struct {
	cfg    *configs.Config
	opts   []Option
	log    *slog.Logger
	bundle *Bundle
	public *endpoint
	admin  *endpoint // nil if off

	starting  sync.Mutex // held by Start and Stop
	stopAsked context.Context
	askStop   context.CancelFunc

	trim    *trimmer // nil before Start
	serving sync.WaitGroup
	failed  chan error
	stopped chan struct{}
	stop    sync.Once
	stopErr error
	ctx     context.Context // ends when all has to end at once
	cut     context.CancelFunc
}

// NewServer validates the configuration; nothing is opened before Start. Without WithLogger the log goes to standard
// error, in the form that cfg.Log asks for.
func NewServer(cfg *configs.Config, opts ...Option) (*Server, error) {
	if cfg == nil {
		cfg = configs.Default()
	}
	if err := Check(cfg, opts...); err != nil {
		return nil, err
	}
	given := options{log: NewLogger(cfg.Log, os.Stderr)}
	for _, opt := range opts {
		opt(&given)
	}
	s := &Server{
		cfg: cfg, opts: append([]Option{WithLogger(given.log)}, opts...), log: given.log,
		failed: make(chan error, 2), stopped: make(chan struct{}),
	}
	s.ctx, s.cut = context.WithCancel(context.Background())
	s.stopAsked, s.askStop = context.WithCancel(s.ctx)
	return s, nil
}

// Start opens the listeners and the ledger and serves; until the ledger is open, all but /healthz is answered with 503. When
// it fails it leaves nothing open, and its error says in one line what is wrong and what to do. ctx bounds the start only; Stop
// cuts it short.
func (s *Server) Start(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.stopAsked, cancel)()
	if err := s.begin(ctx); err != nil {
		s.stop.Do(func() { s.shutdown(ctx) })
		return err
	}
	s.log.Info("ready", "page", s.URL(), "admin", s.AdminAddr(), "version", Version)
	return nil
}

// begin is Start without what follows from its end.
func (s *Server) begin(ctx context.Context) error {
	s.starting.Lock()
	defer s.starting.Unlock()
	if s.stopAsked.Err() != nil {
		return errors.New("the server was stopped before it started")
	}
	if err := s.startWaited(ctx); err != nil {
		return err
	}
	for _, e := range s.endpoints() {
		s.serving.Go(func() {
			if err := e.serve(); err != nil {
				s.failed <- err
			}
		})
	}
	return nil
}

// startWaited is start with somebody on the listeners meanwhile.
func (s *Server) startWaited(ctx context.Context) error {
	if err := s.listen(); err != nil {
		return err
	}
	room, err := s.openWaitingRoom()
	if err != nil {
		return err
	}
	defer room.close()
	return s.start(ctx)
}

func (s *Server) listen() (err error) {
	if s.public, err = s.open("server.listen", s.cfg.Server.Listen); err != nil {
		return err
	}
	s.public.server.WriteTimeout = s.cfg.Server.WriteTimeout // the other one's profiles take as long as they are asked to
	if s.cfg.Server.Admin != "" {
		s.admin, err = s.open("server.admin", s.cfg.Server.Admin)
	}
	return err
}

func (s *Server) start(ctx context.Context) (err error) {
	if s.bundle, err = New(s.cfg, append(s.opts, asServer(s.Addr()), WithContext(ctx))...); err != nil {
		return err
	}
	s.public.listener = s.bundle.gate.Listener(s.public.listener)
	if s.public.server.Handler, _, err = s.router(); err != nil {
		return err
	}
	if s.admin != nil {
		s.admin.server.Handler, _ = s.adminRouter()
	}
	s.trim = newTrimmer(s.cfg.Server.TrimEvery)
	if err := s.bundle.Start(ctx); err != nil || s.admin == nil {
		return err
	}
	return s.bundle.takesOrders()
}

// router is what the public listener serves, and who may do what there.
func (s *Server) router() (*gin.Engine, []handlers.Access, error) {
	b := s.bundle
	router, err := s.newRouter(b.metrics.refusedRequest)
	if err != nil {
		return nil, nil, err
	}
	router.Use(b.cors())
	router.NoRoute(middleware.NotFound)
	return router, b.mount(router.Group(""), besides{page: true, preflights: true}), nil
}

// newRouter returns a router with what every request to a Server goes through; refused, if not nil, is told of those that end
// with an error.
func (s *Server) newRouter(refused func(protocol.Code)) (*gin.Engine, error) {
	router := gin.New()
	router.UseRawPath = true             // an openid in a path may hold a slash, written as %2F
	router.RedirectTrailingSlash = false // a redirect precedes all middleware and would repeat ?token=
	if err := router.SetTrustedProxies(s.cfg.Server.TrustedProxies); err != nil {
		return nil, fmt.Errorf("server.trustedProxies: %w", err)
	}
	router.Use(
		middleware.BodyDeadline(s.cfg.Server.CallTimeout), middleware.TokenFilter(), middleware.RequestID(), middleware.AccessLog(s.log),
		middleware.Errors(s.log, refused), middleware.Recovery(s.log),
	)
	return router, nil
}

// adminRouter is what the admin listener serves, and who may do what there.
func (s *Server) adminRouter() (*gin.Engine, []handlers.Access) {
	router := gin.New()
	routes := append(s.bundle.adminRoutes(), handlers.ForOperators(http.MethodPost, backupPath, s.bundle.serveBackup))
	for _, path := range []string{"/healthz", "/readyz"} { // for probes that share an address with clients
		routes = append(routes, handlers.ForOperators(http.MethodGet, path, gin.WrapH(s.public.server.Handler)))
	}
	return router, handlers.MountOpen(router, routes)
}

// Wait returns when the server was stopped, or with an error when it failed.
func (s *Server) Wait() error {
	select {
	case err := <-s.failed:
		return errors.Join(err, s.Close())
	case <-s.stopped:
		return nil
	}
}

// Stop drains as Bundle.Stop does, serving on meanwhile, and then ends the listeners. Further calls wait for the first
// one and return its result.
func (s *Server) Stop(ctx context.Context) error {
	s.stop.Do(func() {
		s.askStop()
		s.starting.Lock()
		defer s.starting.Unlock()
		s.log.Info("stopping; a second signal stops at once")
		s.shutdown(ctx)
		s.log.Info("stopped")
	})
	return s.stopErr
}

// Close stops at once, and cuts short a Stop that is under way. What was accepted is in the ledger.
func (s *Server) Close() error {
	s.cut()
	if err := s.Stop(s.ctx); err != nil && !errors.Is(err, context.Canceled) { // cut short is what was asked for
		return err
	}
	return nil
}

func (s *Server) shutdown(ctx context.Context) {
	defer close(s.stopped)
	ctx, cancelAll := context.WithCancel(ctx)
	defer cancelAll()
	defer context.AfterFunc(s.ctx, cancelAll)()
	var errs []error
	if s.bundle != nil {
		errs = append(errs, s.bundle.Stop(ctx))
	}
	ctx, cancel := context.WithTimeout(ctx, shutdownTimeout)
	defer cancel()
	for _, e := range s.endpoints() {
		errs = append(errs, e.shutdown(ctx))
	}
	s.serving.Wait()
	if s.trim != nil {
		s.trim.stop()
	}
	s.stopErr = errors.Join(errs...)
}

func (s *Server) endpoints() (list []*endpoint) {
	for _, e := range []*endpoint{s.public, s.admin} {
		if e != nil {
			list = append(list, e)
		}
	}
	return list
}

// Addr is the address of the public API, from Start on.
func (s *Server) Addr() string { return s.public.listener.Addr().String() }

// AdminAddr is the address of metrics, profiles and orders for a backup, from Start on; empty if they are off.
func (s *Server) AdminAddr() string {
	if s.admin == nil {
		return ""
	}
	return s.admin.listener.Addr().String()
}

// URL is where a browser on this machine finds the page, from Start on.
func (s *Server) URL() string {
	at, err := netip.ParseAddrPort(s.Addr())
	if err != nil {
		return "http://" + s.Addr() + "/"
	}
	if at.Addr().IsUnspecified() {
		at = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), at.Port())
	}
	return "http://" + at.String() + "/"
}
