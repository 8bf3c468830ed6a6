package wstest_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/wstest"
)

func putUser(openID string) []ws.Op { return []ws.Op{&ws.PutUser{OpenID: openID}} }

func TestMemStore_FailCommits(t *testing.T) {
	m := wstest.NewMemStore()
	broken := errors.New("broken")
	m.FailCommits(broken)
	require.ErrorIs(t, m.Commit(t.Context(), putUser("alice")), broken)
	_, err := m.User(t.Context(), "alice")
	require.ErrorIs(t, err, ws.ErrNotFound)
	require.Zero(t, m.Batches())
	m.FailCommits(nil)
	require.NoError(t, m.Commit(t.Context(), putUser("alice")))
	require.Equal(t, 1, m.Batches())
}

func TestMemStore_FailAfterCommits(t *testing.T) {
	m := wstest.NewMemStore()
	m.FailAfterCommits(ws.ErrUnavailable)
	require.ErrorIs(t, m.Commit(t.Context(), putUser("alice")), ws.ErrUnavailable)
	_, err := m.User(t.Context(), "alice")
	require.NoError(t, err)
}

func TestMemStore_FailReads(t *testing.T) {
	m := wstest.NewMemStore()
	m.FailReads(ws.ErrUnavailable)
	_, err := m.User(t.Context(), "alice")
	require.ErrorIs(t, err, ws.ErrUnavailable)
	m.FailReads(nil)
	_, err = m.User(t.Context(), "alice")
	require.ErrorIs(t, err, ws.ErrNotFound)
}

func TestMemStore_DelayCommits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := wstest.NewMemStore()
		m.DelayCommits(time.Minute)
		began := time.Now()
		require.NoError(t, m.Commit(t.Context(), putUser("alice")))
		require.Equal(t, time.Minute, time.Since(began))

		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		require.ErrorIs(t, m.Commit(ctx, putUser("bob")), ws.ErrUnavailable)
		_, err := m.User(t.Context(), "bob")
		require.ErrorIs(t, err, ws.ErrNotFound)
	})
}

func TestMemStore_Hold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := wstest.NewMemStore()
		release := m.Hold()
		done := make(chan error, 1)
		go func() { done <- m.Commit(t.Context(), putUser("alice")) }()
		synctest.Wait()
		require.Empty(t, done)
		_, err := m.User(t.Context(), "alice")
		require.ErrorIs(t, err, ws.ErrNotFound, "reads go on meanwhile")
		release()
		release()
		require.NoError(t, <-done)
		require.NoError(t, m.Commit(t.Context(), putUser("bob")))
	})
}

func TestMemStore_HoldReads(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := wstest.NewMemStore()
		release := m.HoldReads()
		done := make(chan error, 1)
		go func() {
			_, err := m.User(t.Context(), "alice")
			done <- err
		}()
		synctest.Wait()
		require.Empty(t, done)
		require.NoError(t, m.Commit(t.Context(), putUser("alice")), "commits go on meanwhile")
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := m.User(ctx, "alice")
		require.ErrorIs(t, err, ws.ErrUnavailable)
		release()
		require.NoError(t, <-done)
	})
}

func TestMemStore_HoldAndClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := wstest.NewMemStore()
		defer m.Hold()()
		done := make(chan error, 1)
		go func() { done <- m.Commit(t.Context(), putUser("alice")) }()
		synctest.Wait()
		require.NoError(t, m.Close())
		require.NoError(t, <-done, "Close waits for a commit under way")
		require.ErrorIs(t, m.Commit(t.Context(), putUser("bob")), ws.ErrUnavailable)
	})
}
