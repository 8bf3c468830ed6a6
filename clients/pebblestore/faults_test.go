package pebblestore

import (
	"context"
	"io"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// patience bounds every wait of these tests that has to end.
const patience = 30 * time.Second

// TestFailingDisk lets writes, or syncs, begin to fail at random moments of a mixed load, cuts the power meanwhile, and
// heals the disk: what was answered is there at every stage, and the store goes on by itself.
func TestFailingDisk(t *testing.T) {
	for _, kind := range []string{"writes", "syncs", "both"} {
		t.Run(kind, func(t *testing.T) { failDisk(t, kind) })
	}
}

func failDisk(t *testing.T, kind string) {
	mem := vfs.NewCrashableMem()
	fs := &faultFS{FS: mem}
	s := mustOpenTiny(t, fs)
	l := newLoad(7)
	random := rand.New(rand.NewPCG(7, 7))
	for range 5 {
		for range random.IntN(20) {
			l.step(t, s)
		}
		before, ops := failOnce(t, fs, s, l, kind, random)
		require.GreaterOrEqual(t, lastBatch(t, s), len(l.batches), "readers lost what was answered")
		clone := mem.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: random.IntN(101), RNG: random})
		mustHold(t, clone, l)
		fs.heal()
		goOn(t, s)
		if lastBatch(t, s) > len(l.batches) { // it failed for its sender, and turned out to hold
			l.took(before, ops)
		}
	}
	for range 30 {
		l.step(t, s)
	}
	oracle := mustOpenTiny(t, vfs.NewMem())
	for _, ops := range l.batches {
		require.NoError(t, oracle.Commit(context.Background(), ops))
	}
	require.Equal(t, dump(t, oracle), dump(t, s))
	require.NoError(t, s.Close())
	mustCheck(t, mem)
}

// failOnce commits until the disk fails, and returns the batch that was under way then, as it was before and after.
func failOnce(t *testing.T, fs *faultFS, s *Store, l *load, kind string, random *rand.Rand) (before, ops []ws.Op) {
	var arming sync.WaitGroup
	pause := time.Duration(random.IntN(2000)) * time.Microsecond
	arming.Go(func() {
		time.Sleep(pause)
		fs.writes.Store(kind != "syncs")
		fs.syncs.Store(kind != "writes")
	})
	defer arming.Wait()
	for {
		ops = l.next()
		before = plain(ops)
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		err := s.Commit(ctx, ops)
		require.NoError(t, ctx.Err(), "a failing disk is to be noticed at once")
		cancel()
		if err == nil {
			l.took(before, ops)
			continue
		}
		require.ErrorIs(t, err, ws.ErrUnavailable)
		require.ErrorIs(t, s.Commit(context.Background(), plain(before)), ws.ErrUnavailable)
		return before, ops
	}
}

// goOn waits until the store commits again. The batch changes nothing.
func goOn(t *testing.T, s *Store) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for s.Commit(ctx, []ws.Op{&ws.DropDevice{User: "nobody", Device: "none"}}) != nil {
		require.NoError(t, ctx.Err(), "the store does not go on")
		time.Sleep(time.Millisecond)
	}
}

// mustHold opens a disk after a power cut and looks for all that was answered.
func mustHold(t *testing.T, fs *vfs.MemFS, l *load) {
	s := mustOpenTiny(t, fs)
	last := lastBatch(t, s)
	require.GreaterOrEqual(t, last, len(l.batches), "a batch that was answered is gone")
	l.holds(t, s, last)
	require.NoError(t, s.Close())
	mustCheck(t, fs)
}

// TestFailingDisk_Rotation lets a full log find no successor. Told so, Pebble would end the process: it panics between
// two unlocks of the same lock.
func TestFailingDisk_Rotation(t *testing.T) {
	mem := vfs.NewCrashableMem()
	fs := &faultFS{FS: mem}
	s := mustOpenTiny(t, fs)
	l := newLoad(11)
	for range 2 {
		l.step(t, s)
		fs.logs.Store(true)
		for {
			ops := l.next()
			before := plain(ops)
			if err := s.Commit(t.Context(), ops); err != nil {
				require.ErrorIs(t, err, ws.ErrUnavailable)
				break
			}
			l.took(before, ops)
		}
		require.Equal(t, len(l.batches), lastBatch(t, s))
		fs.heal()
		goOn(t, s)
		require.Equal(t, len(l.batches), lastBatch(t, s))
	}
	require.NoError(t, s.Close())
	mustCheck(t, mem)
}

// TestFence raises a fence: whoever comes from behind it cannot change anything any more, and may still read.
func TestFence(t *testing.T) {
	mem := vfs.NewMem()
	f := &fence{FS: mem, give: func(error, bool) {}}
	file, err := f.Create("old", vfs.WriteCategoryUnspecified)
	require.NoError(t, err)
	_, err = file.Write([]byte("before"))
	require.NoError(t, err)
	f.raise()
	_, err = file.Write([]byte("after"))
	require.ErrorIs(t, err, errFenced)
	require.ErrorIs(t, file.Sync(), errFenced)
	require.ErrorIs(t, f.Remove("old"), errFenced)
	require.ErrorIs(t, f.Rename("old", "new"), errFenced)
	_, err = f.Create("new", vfs.WriteCategoryUnspecified)
	require.ErrorIs(t, err, errFenced)
	_, err = f.ReuseForWrite("old", "new", vfs.WriteCategoryUnspecified)
	require.ErrorIs(t, err, errFenced)
	names, err := f.List("")
	require.NoError(t, err)
	require.Equal(t, []string{"old"}, names)
	old, err := f.Open("old")
	require.NoError(t, err)
	content, err := io.ReadAll(old)
	require.NoError(t, err)
	require.Equal(t, "before", string(content))
}

// TestHangingDisk holds a sync: the caller is answered at its deadline, readers see only what is durable, and the store
// goes on when the disk does.
func TestHangingDisk(t *testing.T) {
	fs := &faultFS{FS: vfs.NewMem()}
	s := mustOpen(t, fs)
	put := func(ctx context.Context, user string) error {
		return s.Commit(ctx, []ws.Op{&ws.PutUser{OpenID: user, At: 1}})
	}
	require.NoError(t, put(t.Context(), "alice"))
	hang := make(chan struct{})
	fs.hang.Store(&hang)
	release := sync.OnceFunc(func() {
		fs.hang.Store(nil)
		close(hang)
	})
	t.Cleanup(release)
	for _, user := range []string{"bob", "carol"} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		require.ErrorIs(t, put(ctx, user), ws.ErrUnavailable)
		cancel()
	}
	_, err := s.User(t.Context(), "alice")
	require.NoError(t, err)
	_, err = s.User(t.Context(), "bob")
	require.ErrorIs(t, err, ws.ErrNotFound, "a reader saw what is not durable")
	release()
	require.NoError(t, put(t.Context(), "dave"))
	_, err = s.User(t.Context(), "bob")
	require.NoError(t, err, "the commit that outlived its caller holds")
	_, err = s.User(t.Context(), "carol")
	require.ErrorIs(t, err, ws.ErrNotFound)
}

// TestFullDisk refuses commits while too little is free, says so, and goes on when there is room again.
func TestFullDisk(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, fs)
	put := func() error { return s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "alice", At: 1}}) }
	require.NoError(t, put())
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 3 << 20, TotalBytes: 1 << 30})
	require.Eventually(t, func() bool { return put() != nil }, patience, time.Millisecond)
	err := put()
	require.ErrorIs(t, err, ws.ErrUnavailable)
	require.ErrorContains(t, err, "disk full: 3 MiB free in ledger, MinFree is 64 MiB")
	_, err = s.User(t.Context(), "alice")
	require.NoError(t, err)
	fs.TestingSetDiskUsage(vfs.DiskUsage{AvailBytes: 300 << 20, TotalBytes: 1 << 30})
	require.Eventually(t, func() bool { return put() == nil }, patience, time.Millisecond)
}

// TestStore_Close_UnderFault closes a store whose disk fails, which has to come to an end.
func TestStore_Close_UnderFault(t *testing.T) {
	fs := &faultFS{FS: vfs.NewMem()}
	s := mustOpenTiny(t, fs)
	l := newLoad(3)
	for range 50 {
		l.step(t, s)
	}
	fs.writes.Store(true)
	require.Eventually(t, func() bool { return s.Commit(t.Context(), l.next()) != nil }, patience, time.Millisecond)
	_ = s.Close()
	require.ErrorIs(t, s.Commit(t.Context(), l.next()), ws.ErrUnavailable)
	_, err := s.User(t.Context(), "alice")
	require.ErrorIs(t, err, ws.ErrUnavailable)
}
