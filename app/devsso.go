package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/ws"
)

const (
	devKeyFile  = "dev-sso.key"
	devKeyBytes = 32
	devLogin    = "/dev/login"
	devCheck    = "/dev/sso/check"
)

// devSSO is the development SSO and the way to it: tokens are checked over our own listener, by the same client as a
// real SSO's are. Where that listener is, the first request that comes to it over loopback tells.
type devSSO struct {
	*sso.Dev
	options func(address string) sso.Options
	base    string // of the paths; set by Mount
	client  atomic.Pointer[sso.Client]
}

var errNoWay = fmt.Errorf("%w: the development SSO is reached over loopback only", ws.ErrCannotTell)

func (b *Bundle) buildDevSSO() (ws.Authenticator, error) {
	key, err := b.devKey()
	if err != nil {
		return nil, err
	}
	b.dev = &devSSO{
		Dev:     &sso.Dev{Key: key, Header: b.cfg.SSO.Header, Scheme: b.cfg.SSO.Scheme, Clock: b.opt.clock},
		options: b.ssoOptions,
	}
	b.onStop("close connections to the development SSO", func() error { b.dev.close(); return nil })
	b.log.Warn("the development SSO is on: anybody on this machine can log in as anyone; set sso.url to end that")
	return b.dev, nil
}

// devKey returns the key that signs tokens: kept beside the ledger, so that they survive a restart.
func (b *Bundle) devKey() ([]byte, error) {
	if b.opt.store != nil {
		return newDevKey(), nil
	}
	path := filepath.Join(b.cfg.Store.Dir, devKeyFile)
	key, err := os.ReadFile(path) //nolint:gosec // the path is the operator's own
	if errors.Is(err, fs.ErrNotExist) {
		key, err = makeDevKey(path)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("the key of the development SSO: %w", err)
	case len(key) != devKeyBytes:
		return nil, fmt.Errorf("the key of the development SSO in %s is damaged; remove the file", path)
	}
	return key, nil
}

// makeDevKey writes a new key, unless another node has done so in the same moment: then that one is everybody's.
func makeDevKey(path string) ([]byte, error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o750); err != nil {
		return nil, err
	}
	key := newDevKey()
	mine := path + "." + hex.EncodeToString(key[:8])
	if err := os.WriteFile(mine, key, 0o600); err != nil {
		return nil, err
	}
	defer func() { _ = os.Remove(mine) }()
	if err := os.Link(mine, path); err != nil && !errors.Is(err, fs.ErrExist) {
		return nil, err
	}
	return os.ReadFile(path) //nolint:gosec // the path is the operator's own
}

func newDevKey() []byte {
	key := make([]byte, devKeyBytes)
	_, _ = rand.Read(key) // never fails
	return key
}

// learn notes where our own listener is.
func (d *devSSO) learn(c *gin.Context) {
	if d.client.Load() != nil || c.Request.TLS != nil {
		return
	}
	if address := sso.LocalAddr(c.Request); address != "" {
		client := sso.New(d.options("http://" + address + d.base + devCheck))
		if !d.client.CompareAndSwap(nil, client) {
			client.Close()
		}
	}
}

// Authenticate implements ws.Authenticator.
func (d *devSSO) Authenticate(ctx context.Context, c ws.Credentials) (ws.Identity, error) {
	client := d.client.Load()
	if client == nil {
		return ws.Identity{}, errNoWay
	}
	return client.Authenticate(ctx, c)
}

func (d *devSSO) close() {
	if client := d.client.Load(); client != nil {
		client.Close()
	}
}
