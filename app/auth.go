package app

import (
	"errors"
	"net/url"
	"slices"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/middleware"
	"github.com/yanlink/yanlink/ws"
)

// ledgerTime is how long looking a token up in the ledger and recording it may add to a check.
const ledgerTime = 10 * time.Second

func (b *Bundle) useDevSSO() bool {
	return b.opt.devSSO && b.cfg.SSO.Dev && b.cfg.SSO.URL == "" && b.opt.authenticator == nil
}

func (b *Bundle) canCheckTokens() error {
	if b.cfg.SSO.URL == "" && b.opt.authenticator == nil && !b.useDevSSO() {
		return errors.New("sso.url: nobody is there to check tokens; set it, or give app.WithAuthenticator, or for development app.WithDevSSO with sso.dev: true")
	}
	return nil
}

// buildAuthentication builds the way a token goes: memory, then what another node was told, then whoever knows, then a
// record in the ledger.
func (b *Bundle) buildAuthentication() error {
	next, err := b.source()
	if err != nil {
		return err
	}
	recorded := &recordedTokens{
		next: next, store: b.store, grace: b.cfg.SSO.Grace, clock: b.opt.clock, log: b.log,
		write: func() writer { return b.gateway },
	}
	cache, err := sso.NewCache(recorded, sso.CacheOptions{
		TTL: b.cfg.SSO.CacheTTL, Grace: b.cfg.SSO.Grace, Size: b.cfg.SSO.CacheSize, Timeout: b.cfg.SSO.Timeout + ledgerTime,
		Known: recorded.known, Changes: b.dismissals(), Shared: b.tokens, Clock: b.opt.clock, Log: b.log,
	})
	if err != nil {
		return err
	}
	b.onStop("end the checks of tokens", func() error { cache.Close(); return nil })
	b.auth = cache
	return nil
}

// dismissals counts bans and revocations where this node alone makes them: nobody else writes to an embedded ledger.
func (b *Bundle) dismissals() func() uint64 {
	if b.opt.store != nil || b.cfg.Store.Driver != "pebble" {
		return nil
	}
	return func() uint64 { return b.gateway.Dismissals() }
}

// source returns who knows about tokens.
func (b *Bundle) source() (ws.Authenticator, error) {
	if b.opt.authenticator != nil {
		return b.opt.authenticator, nil
	}
	if b.useDevSSO() {
		return b.buildDevSSO()
	}
	b.client = sso.New(b.ssoOptions(b.cfg.SSO.URL))
	b.onStop("close connections to the SSO", func() error { b.client.Close(); return nil })
	return b.client, nil
}

func (b *Bundle) ssoOptions(address string) sso.Options {
	c := b.cfg.SSO
	return sso.Options{
		URL: address, Header: c.Header, Scheme: c.Scheme, Fields: sso.Fields(c.Fields), Timeout: c.Timeout,
		MaxConcurrent: c.MaxConcurrent, Log: b.log.With("component", "sso"), Clock: b.opt.clock,
	}
}

// authenticate is the middleware that finds out who calls, once there is somebody to serve them.
func (b *Bundle) authenticate() gin.HandlerFunc {
	keys := make([]middleware.ServiceKey, len(b.cfg.Auth.ServiceKeys))
	for i, k := range b.cfg.Auth.ServiceKeys {
		keys[i] = middleware.ServiceKey(k)
	}
	check := middleware.Authenticate(middleware.AuthOptions{
		Authenticator: b.auth, Redeem: b.tickets.Redeem, Cookie: b.cfg.SSO.Cookie, ServiceKeys: keys, AllowOrigin: b.allowOrigin,
		RefusalsPerSecond: b.cfg.Limits.RefusalsPerSecondPerIP, Unnamed: b.unnamedProxy,
	})
	return func(c *gin.Context) {
		if !b.serving() {
			middleware.Refuse(c, errNotServing)
			return
		}
		check(c)
	}
}

// allowOrigin reports whether a page of another origin may come in.
func (b *Bundle) allowOrigin(origin, _ string) bool {
	if slices.Contains(b.cfg.Server.Origins, origin) {
		return true
	}
	u, err := url.Parse(origin)
	return err == nil && b.dev != nil && sso.LoopbackHost(u.Host)
}
