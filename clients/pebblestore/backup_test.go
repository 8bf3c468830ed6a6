package pebblestore

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

// TestStore_Backup makes backups of a store that is written to all the time, on a real disk: each holds what was accepted
// before it began, breaks no invariant, and can be gone on with.
func TestStore_Backup(t *testing.T) {
	home := t.TempDir()
	s, err := Open(t.Context(), Options{Dir: filepath.Join(home, "ledger"), MemTableBytes: 1 << 20, CacheBytes: 1 << 20, FilterBytes: 64 << 10, MinFree: -1})
	require.NoError(t, err)
	c := &crowd{store: s}
	for round := range 3 {
		c.run(t, round, 4)
		c.await(t, 200)
		before := c.accepted()
		dir := filepath.Join(home, "backups", fmt.Sprint(round))
		copied, err := s.Backup(t.Context(), dir)
		require.NoError(t, err)
		c.stop()
		require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "jill", At: 1}}))
		require.Positive(t, copied.Files)
		require.Positive(t, copied.Bytes)
		require.NoDirExists(t, dir+unfinished)
		require.NoDirExists(t, checkpointOf(&s.opt))
		c.mustBeIn(t, dir, before)
	}
	require.NoError(t, s.Close())
	mustHoldInvariants(t, s.opt.Dir)
}

// crowdBatches bounds what a sender sends where a machine is slow to make the backup.
const crowdBatches = 15

// crowd sends batches from several goroutines until it is stopped.
type crowd struct {
	store   *Store
	mu      sync.Mutex
	msgids  []string
	ended   atomic.Bool
	senders sync.WaitGroup
}

func (c *crowd) run(t *testing.T, round, senders int) {
	c.ended.Store(false)
	t.Cleanup(c.stop)
	body := strings.Repeat("words ", 300)
	for sender := range senders {
		c.senders.Go(func() {
			for n := 0; n < crowdBatches && !c.ended.Load(); n++ {
				var ops []ws.Op
				var msgids []string
				for i := range 20 {
					msgids = append(msgids, fmt.Sprintf("%d-%d-%d-%d", round, sender, n, i))
					ops = append(ops, &ws.Send{To: "jack", CreateUsers: true, Record: ws.Record{
						Kind: ws.KindMessage, Sender: "rose", SenderDevice: "web", MsgID: msgids[i], Body: body, CreatedAt: 1,
					}})
				}
				if err := c.store.Commit(context.Background(), ops); err != nil {
					t.Error(err)
					return
				}
				c.mu.Lock()
				c.msgids = append(c.msgids, msgids...)
				c.mu.Unlock()
			}
		})
	}
}

func (c *crowd) stop() {
	c.ended.Store(true)
	c.senders.Wait()
}

func (c *crowd) accepted() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.msgids[:len(c.msgids):len(c.msgids)]
}

// await waits until so many more messages are accepted.
func (c *crowd) await(t *testing.T, more int) {
	want := len(c.accepted()) + more
	require.Eventually(t, func() bool { return len(c.accepted()) >= want }, patience, time.Millisecond)
}

// mustBeIn checks the backup in dir, which a store then opens and writes to.
func (c *crowd) mustBeIn(t *testing.T, dir string, msgids []string) {
	mustHoldInvariants(t, dir)
	s, err := Open(t.Context(), Options{Dir: dir, MinFree: -1})
	require.NoError(t, err)
	talk, err := s.FindConversation(t.Context(), ws.Direct, ws.DirectKey("rose", "jack"))
	require.NoError(t, err)
	for _, msgid := range msgids {
		_, err := s.Dedup(t.Context(), talk.ID, "rose", msgid)
		require.NoError(t, err, "%s was accepted before the backup began", msgid)
	}
	require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "jill", At: 1}}))
	require.NoError(t, s.Close())
	mustHoldInvariants(t, dir)
}

func mustHoldInvariants(t *testing.T, dir string) {
	t.Helper()
	sum, err := Check(t.Context(), dir, nil, func(line string) { t.Error(line) })
	require.NoError(t, err)
	require.Zero(t, sum.Broken)
}

// linkless is a file system without links.
type linkless struct{ vfs.FS }

func (l linkless) Link(from, to string) error {
	return &os.LinkError{Op: "link", Old: from, New: to, Err: syscall.EPERM}
}

func (l linkless) Unwrap() vfs.FS { return l.FS }

// TestStore_Backup_NoLinks makes backups of a store that is open, and of one that is not, where files cannot be linked.
func TestStore_Backup_NoLinks(t *testing.T) {
	fs := linkless{vfs.NewMem()}
	s := mustOpen(t, fs)
	require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "ann", At: 1}}))
	require.NoError(t, s.db.Flush()) // into a table
	_, err := s.Backup(t.Context(), "first")
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = Backup(t.Context(), "ledger", "second", fs)
	require.NoError(t, err)
	for _, dir := range []string{"first", "second"} {
		sum, err := Check(t.Context(), dir, fs, func(line string) { t.Error(line) })
		require.NoError(t, err)
		require.Equal(t, 1, sum.Users, dir)
	}
}

// TestStore_Backup_Refused: nothing is written where something is, and the error says what to do.
func TestStore_Backup_Refused(t *testing.T) {
	s := mustOpen(t, vfs.NewMem())
	fs := s.opt.FS
	occupy := func(name string) {
		require.NoError(t, fs.MkdirAll(fs.PathDir(name), 0o750))
		file, err := fs.Create(name, vfs.WriteCategoryUnspecified)
		require.NoError(t, err)
		require.NoError(t, file.Close())
	}
	occupy("full/file")
	occupy("file")
	occupy("again.unfinished/file")
	require.NoError(t, fs.MkdirAll("empty", 0o750))
	here, err := filepath.Abs(".")
	require.NoError(t, err)
	for to, want := range map[string]string{
		"":                "needs a folder",
		"full":            `full holds "file"`,
		"file":            "file cannot be listed",
		"again":           "again.unfinished is left of a backup that was cut short",
		"ledger":          "in the ledger's own folder",
		"ledger/deep/er":  "in the ledger's own folder",
		"other/../ledger": "in the ledger's own folder",

		filepath.Join(here, "ledger", "deep"): "in the ledger's own folder",
	} {
		_, err := s.Backup(t.Context(), to)
		require.ErrorContains(t, err, want, to)
	}
	_, err = s.Backup(t.Context(), "empty")
	require.NoError(t, err)
	_, err = s.Backup(t.Context(), "ledger-2/deep")
	require.NoError(t, err)
	s.backup.Lock()
	_, err = s.Backup(t.Context(), "third")
	s.backup.Unlock()
	require.ErrorContains(t, err, "another backup")
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = s.Backup(ended, "third")
	require.ErrorIs(t, err, context.Canceled)
	requireAbsent(t, fs, "third", "third"+unfinished)
	require.NoError(t, s.Close())
	_, err = s.Backup(t.Context(), "third")
	require.ErrorIs(t, err, ws.ErrUnavailable)
	requireAbsent(t, fs, "third", "third"+unfinished)
}

func requireAbsent(t *testing.T, fs vfs.FS, names ...string) {
	t.Helper()
	for _, name := range names {
		_, err := fs.Stat(name)
		require.ErrorIs(t, err, os.ErrNotExist, name)
	}
}

// fullFS is a file system with a folder that has no room for any of the files whose names end so.
type fullFS struct {
	vfs.FS
	folder, suffix string
}

func (f *fullFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(name, f.folder) && strings.HasSuffix(name, f.suffix) {
		return nil, errDisk
	}
	return f.FS.Create(name, category)
}

// TestStore_Backup_FullDisk: a disk without room for the backup leaves no part of it, and does no harm to the ledger.
func TestStore_Backup_FullDisk(t *testing.T) {
	for name, fs := range map[string]*fullFS{
		"theBackups":  {folder: "backup", suffix: ".log"},
		"lastFile":    {folder: "backup", suffix: markName},
		"theLedgers":  {folder: "ledger/temporary.backup", suffix: ".log"},
		"firstOfThem": {folder: "ledger/temporary.backup"},
	} {
		t.Run(name, func(t *testing.T) {
			fs.FS = vfs.NewMem()
			s := mustOpen(t, fs)
			opened := s.db
			require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "rose", At: 1}}))
			_, err := s.Backup(t.Context(), "backup")
			require.ErrorIs(t, err, errDisk)
			requireAbsent(t, fs, "backup", "backup"+unfinished, checkpointOf(&s.opt))
			require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "jack", At: 1}}))
			select {
			case <-opened.failed:
				t.Fatal("the ledger was given up")
			default:
			}
			fs.folder = "nothing"
			_, err = s.Backup(t.Context(), "backup")
			require.NoError(t, err)
		})
	}
}

// TestBackup_CutShort: half a backup is no ledger, and what it leaves in the ledger's folder goes with the next start.
func TestBackup_CutShort(t *testing.T) {
	s := mustOpen(t, vfs.NewMem())
	fs := s.opt.FS
	from := checkpointOf(&s.opt)
	require.NoError(t, s.checkpoint(t.Context(), from))
	names, err := fs.List(from)
	require.NoError(t, err)
	ended, cancel := context.WithCancel(t.Context())
	defer cancel()
	half := &fullFS{FS: fs, folder: "half/marker."}
	require.NoError(t, fs.MkdirAll("half", 0o750))
	_, err = copyLedger(ended, half, from, "half")
	require.ErrorIs(t, err, errDisk)
	copied, err := fs.List("half")
	require.NoError(t, err)
	require.NotEmpty(t, copied)
	require.Less(t, len(copied), len(names))
	_, err = Check(t.Context(), "half", fs, func(string) {})
	require.ErrorIs(t, err, ErrForeign)
	require.NoError(t, s.Close())
	mustOpen(t, fs)
	requireAbsent(t, fs, from)
}

// TestBackup is of a ledger that no server has open.
func TestBackup(t *testing.T) {
	fs := vfs.NewMem()
	s := mustOpen(t, fs)
	require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "rose", At: 1}}))
	require.NoError(t, s.Close())
	copied, err := Backup(t.Context(), "ledger", "backup", fs)
	require.NoError(t, err)
	require.Positive(t, copied.Files)
	sum, err := Check(t.Context(), "backup", fs, func(line string) { t.Error(line) })
	require.NoError(t, err)
	require.Equal(t, 1, sum.Users)
	_, err = Backup(t.Context(), "none", "other", fs)
	require.ErrorIs(t, err, ErrForeign)
	_, err = Backup(t.Context(), "ledger", "backup", fs)
	require.ErrorIs(t, err, ErrOccupied)

	dir := filepath.Join(t.TempDir(), "ledger")
	open, err := Open(t.Context(), Options{Dir: dir})
	require.NoError(t, err)
	_, err = Backup(t.Context(), dir, dir+"-backup", nil)
	require.ErrorIs(t, err, ErrLocked)
	require.NoDirExists(t, dir+"-backup"+unfinished)
	require.NoError(t, open.Close())
}

// hookFS calls hook before a file whose name ends so is made in folder.
type hookFS struct {
	vfs.FS
	folder, suffix string
	hook           func()
}

func (f *hookFS) Create(name string, category vfs.DiskWriteCategory) (vfs.File, error) {
	if strings.HasPrefix(name, f.folder) && strings.HasSuffix(name, f.suffix) {
		f.hook()
	}
	return f.FS.Create(name, category)
}

// TestStore_Backup_CommitsWait: nothing is written to a log while it is copied, and all goes on beside the rest.
func TestStore_Backup_CommitsWait(t *testing.T) {
	fs := &hookFS{FS: vfs.NewMem(), folder: checkpointOf(&Options{FS: vfs.NewMem(), Dir: "ledger"}), suffix: ".log"}
	s := mustOpen(t, fs)
	var during error
	fs.hook = func() {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		defer cancel()
		during = s.Commit(ctx, []ws.Op{&ws.PutUser{OpenID: "rose", At: 1}})
	}
	_, err := s.Backup(t.Context(), "first")
	require.NoError(t, err)
	require.ErrorIs(t, during, context.DeadlineExceeded)
	fs.folder = "second"
	_, err = s.Backup(t.Context(), "second")
	require.NoError(t, err)
	require.NoError(t, during)
}

// TestStore_Backup_Close: a store that is closed gives up a backup, and leaves no part of it.
func TestStore_Backup_Close(t *testing.T) {
	fs := &hookFS{FS: vfs.NewMem(), folder: "backup"}
	s := mustOpen(t, fs)
	closed := make(chan error, 1)
	fs.hook = sync.OnceFunc(func() {
		go func() { closed <- s.Close() }()
		<-s.closing
		time.Sleep(10 * time.Millisecond) // for the backup to be told; if it is not, that shows below
	})
	_, err := s.Backup(context.Background(), "backup")
	require.ErrorIs(t, err, context.Canceled)
	require.NoError(t, <-closed)
	requireAbsent(t, fs, "backup", "backup"+unfinished, checkpointOf(&s.opt))
}
