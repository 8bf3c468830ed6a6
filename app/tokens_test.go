package app_test

import (
	"context"
	"crypto/sha256"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

// counting counts the tokens and the connects that are written to a ledger, and how often it is asked for a token.
type counting struct {
	ws.Store
	accepted chan struct{}
	opened   chan *ws.OpenDevice
	asked    atomic.Int32
}

func (c *counting) Commit(ctx context.Context, ops []ws.Op) error {
	for _, op := range ops {
		switch op := op.(type) {
		case *ws.AcceptToken:
			c.accepted <- struct{}{}
		case *ws.OpenDevice:
			c.opened <- op
		}
	}
	return c.Store.Commit(ctx, ops)
}

func (c *counting) Token(ctx context.Context, hash [32]byte) (ws.Token, ws.User, error) {
	c.asked.Add(1)
	return c.Store.Token(ctx, hash)
}

// tokenWorld is a host over a ledger that outlives it, with a clock to turn.
type tokenWorld struct {
	t     *testing.T
	store *counting
	users *users
	at    time.Time
	cfg   *configs.Config
}

func newTokenWorld(t *testing.T) *tokenWorld {
	t.Helper()
	w := &tokenWorld{
		t: t, store: &counting{Store: wstest.NewMemStore(), accepted: make(chan struct{}, 100), opened: make(chan *ws.OpenDevice, 100)}, users: &users{}, cfg: testConfig(t),
		at: time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC),
	}
	w.cfg.SSO.CacheTTL, w.cfg.SSO.Grace = time.Minute, time.Hour
	return w
}

// start is a start of the program: its memory is empty, its ledger is not. The clock must not turn while it runs.
func (w *tokenWorld) start() *host {
	at := w.at
	return newHost(w.t, w.cfg, app.WithAuthenticator(w.users), app.WithStore(w.store), app.WithClock(func() time.Time { return at }))
}

func (w *tokenWorld) me(h *host, token string) int {
	status, _ := call(w.t, "GET", h.base+"/api/v1/me", token, "")
	return status
}

func TestTokens_RecordedOnce(t *testing.T) {
	w := newTokenWorld(t)
	for round, want := range []struct {
		after time.Duration
		total int
	}{{0, 1}, {10 * time.Minute, 1}, {25 * time.Minute, 2}} {
		w.at = w.at.Add(want.after)
		h := w.start()
		for range 3 {
			require.Equal(t, 200, w.me(h, "alice"))
		}
		require.Equal(t, round+1, w.users.asked(), "the cache answers for the rest")
		h.stop()
		require.Len(t, w.store.accepted, want.total, "written when new, and again when half of the grace is over")
	}
}

func TestTokens_RecordedWithTheDevice(t *testing.T) {
	w := newTokenWorld(t)
	h := w.start()
	_ = dial(t, h.base, "alice").Close()
	opened := <-w.store.opened
	require.NotNil(t, opened.Accept, "a stranger's connect is one commit")
	require.NotZero(t, opened.Epoch)
	require.Empty(t, w.store.accepted)
	require.Zero(t, w.store.asked.Load(), "and no question before it")
	_, _, err := w.store.Store.Token(t.Context(), sha256.Sum256([]byte(tokenOf("alice"))))
	require.NoError(t, err)

	_ = dial(t, h.base, "alice").Close()
	require.Nil(t, (<-w.store.opened).Accept, "the cache knows it")
	require.Empty(t, w.store.opened, "one device, one commit")
	h.stop()

	require.NoError(t, w.store.Store.Commit(t.Context(), []ws.Op{&ws.RevokeTokens{OpenID: "alice", At: ws.Millis(w.at.UnixMilli())}}))
	h = w.start()
	require.Equal(t, 401, upgradeStatus(t, h.base, "alice", ""))
	devices, err := w.store.Devices(t.Context(), "alice")
	require.NoError(t, err)
	require.Equal(t, opened.Epoch+1, devices[0].Epoch, "a token that ended opens nothing")
}

func TestTokens_RecordedWithoutTheDevice(t *testing.T) {
	w := newTokenWorld(t)
	w.cfg.Limits.DevicesPerUser, w.cfg.Limits.SessionsPerUser = 1, 0
	h := w.start()
	_ = dial(t, h.base, "alice&device=web").Close()
	h.stop()
	h = w.start()
	require.Equal(t, 429, upgradeStatus(t, h.base, "alice&device=phone", ""))
	require.Equal(t, 200, w.me(h, "alice"), "too many devices say nothing about the token")
	require.Equal(t, 2, w.users.asked(), "the cache knows it")
}

func TestTokens_SSODown(t *testing.T) {
	w := newTokenWorld(t)
	h := w.start()
	require.Equal(t, 200, w.me(h, "alice"))
	w.users.fail(ws.ErrCannotTell)
	require.Equal(t, 503, w.me(h, "new"))
	h.stop()

	w.at = w.at.Add(59 * time.Minute)
	h = w.start()
	require.Equal(t, 200, w.me(h, "alice"), "a known token goes on after a restart")
	require.Equal(t, 503, w.me(h, "new"))
	h.stop()

	w.at = w.at.Add(2 * time.Minute)
	h = w.start()
	require.Equal(t, 503, w.me(h, "alice"), "but not for ever")
}

func TestTokens_Revoked(t *testing.T) {
	w := newTokenWorld(t)
	h := w.start()
	require.Equal(t, 200, w.me(h, "alice"))
	h.stop()
	require.NoError(t, w.store.Commit(context.Background(), []ws.Op{&ws.RevokeTokens{OpenID: "alice", At: ws.Millis(w.at.UnixMilli())}}))
	h = w.start()
	require.Equal(t, 401, w.me(h, "alice"), "revoked whatever the SSO says")
	h.stop()
	w.users.fail(ws.ErrCannotTell)
	h = w.start()
	require.Equal(t, 401, w.me(h, "alice"), "and while it says nothing")
}

func TestTokens_Banned(t *testing.T) {
	w := newTokenWorld(t)
	h := w.start()
	require.Equal(t, 200, w.me(h, "alice"))
	h.stop()
	require.NoError(t, w.store.Commit(context.Background(), []ws.Op{&ws.BanUser{OpenID: "alice", Banned: true}}))
	h = w.start()
	require.Equal(t, 403, w.me(h, "alice"))
	h.stop()
	w.users.fail(ws.ErrCannotTell)
	h = w.start()
	require.Equal(t, 403, w.me(h, "alice"))
}

func TestTokens_LedgerOnlyHoldsAHash(t *testing.T) {
	w := newTokenWorld(t)
	h := w.start()
	require.Equal(t, 200, w.me(h, "alice"))
	token, user, err := w.store.Token(t.Context(), sha256.Sum256([]byte(tokenOf("alice"))))
	require.NoError(t, err)
	require.Equal(t, "alice", token.OpenID)
	require.Equal(t, "name of alice", user.Name)
	require.Equal(t, ws.Millis(w.at.Add(time.Hour).UnixMilli()), token.ExpiresAt)
	h.stop()
}
