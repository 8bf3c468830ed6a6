package pebblestore

import (
	"context"
	"io"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
)

func openIn(fs vfs.FS) error {
	s, err := Open(context.Background(), Options{Dir: "ledger", FS: fs, FilterBytes: 1 << 10})
	if err == nil {
		err = s.Close()
	}
	return err
}

// raw opens the ledger's database behind the store's back.
func raw(tb testing.TB, fs vfs.FS, change func(db *pebble.DB)) {
	tb.Helper()
	db, err := pebble.Open("ledger", &pebble.Options{FS: fs, FormatMajorVersion: pebble.FormatValueSeparation, Logger: &pebbleLog{}})
	require.NoError(tb, err)
	change(db)
	require.NoError(tb, db.Close())
}

func TestOpen(t *testing.T) {
	t.Run("OK", func(t *testing.T) {
		fs := vfs.NewMem()
		s := mustOpen(t, fs)
		require.Equal(t, ws.LedgerInfo{Format: format, Epoch: 1}, s.Info())
		require.NoError(t, s.Close())
		require.NoError(t, openIn(fs), "a ledger is found again")
	})
	t.Run("ErrLocked", func(t *testing.T) {
		fs := vfs.NewMem()
		s := mustOpen(t, fs)
		err := openIn(fs)
		require.ErrorIs(t, err, ErrLocked)
		require.ErrorContains(t, err, "stop that process")
		require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "alice"}}), "the owner is not disturbed")
		require.NoError(t, s.Close())
		require.NoError(t, openIn(fs))
	})
	t.Run("ErrNotWritable", func(t *testing.T) {
		err := openIn(&deniedFS{FS: vfs.NewMem()})
		require.ErrorIs(t, err, ErrNotWritable)
		require.ErrorIs(t, err, os.ErrPermission)
	})
	t.Run("ErrNewerFormat", func(t *testing.T) {
		fs := vfs.NewMem()
		require.NoError(t, openIn(fs))
		raw(t, fs, func(db *pebble.DB) {
			newer := append(encodeLedger(nil, ws.LedgerInfo{Format: format + 1, Epoch: 1}), "more"...)
			require.NoError(t, db.Set([]byte{kindLedger}, newer, pebble.Sync))
		})
		err := openIn(fs)
		require.ErrorIs(t, err, ErrNewerFormat)
		require.ErrorContains(t, err, "number 3, and this program knows 2")
	})
	t.Run("older format", func(t *testing.T) {
		fs := vfs.NewMem()
		fill(t, fs)
		raw(t, fs, func(db *pebble.DB) {
			require.NoError(t, db.Set([]byte{kindLedger}, encodeLedger(nil, ws.LedgerInfo{Format: 1, Epoch: 7}), pebble.Sync))
			require.NoError(t, db.Delete([]byte{kindSecret}, pebble.Sync))
		})
		mustCheck(t, fs)
		require.Zero(t, exportedLedger(t, fs).Secret)
		s := mustOpen(t, fs)
		require.Equal(t, ws.LedgerInfo{Format: format, Epoch: 7}, s.Info())
		require.NotZero(t, s.Secret())
		require.NoError(t, s.Close())
		mustCheck(t, fs)
		require.Equal(t, s.Secret(), exportedLedger(t, fs).Secret)
		again := mustOpen(t, fs)
		require.Equal(t, s.Secret(), again.Secret(), "it is kept")
	})
	t.Run("ErrDamaged secret", func(t *testing.T) {
		for _, change := range []func(db *pebble.DB) error{
			func(db *pebble.DB) error { return db.Delete([]byte{kindSecret}, pebble.Sync) },
			func(db *pebble.DB) error { return db.Set([]byte{kindSecret}, make([]byte, 31), pebble.Sync) },
		} {
			fs := vfs.NewMem()
			require.NoError(t, openIn(fs))
			raw(t, fs, func(db *pebble.DB) { require.NoError(t, change(db)) })
			require.ErrorIs(t, openIn(fs), ErrDamaged)
		}
	})
	t.Run("ErrDamaged list of files", func(t *testing.T) {
		fs := vfs.NewMem()
		fill(t, fs)
		scribble(t, fs, "MANIFEST", 1)
		err := openIn(fs)
		require.ErrorIs(t, err, ErrDamaged)
		require.ErrorContains(t, err, "restore it from a backup")
	})
	t.Run("ErrDamaged lost database", func(t *testing.T) {
		fs := vfs.NewMem()
		fill(t, fs)
		remove(t, fs, "MANIFEST", "marker")
		require.ErrorIs(t, openIn(fs), ErrDamaged)
	})
	t.Run("ErrDamaged lost table", func(t *testing.T) {
		fs := vfs.NewMem()
		fill(t, fs)
		remove(t, fs, "0")
		require.ErrorIs(t, openIn(fs), ErrDamaged)
	})
	t.Run("ErrDamaged first record", func(t *testing.T) {
		fs := vfs.NewMem()
		fill(t, fs)
		raw(t, fs, func(db *pebble.DB) { require.NoError(t, db.Delete([]byte{kindLedger}, pebble.Sync)) })
		require.ErrorIs(t, openIn(fs), ErrDamaged)
	})
	t.Run("ErrDamaged all records", func(t *testing.T) {
		fs := vfs.NewMem()
		fill(t, fs)
		raw(t, fs, func(db *pebble.DB) { require.NoError(t, db.DeleteRange([]byte{0}, []byte{0xff}, pebble.Sync)) })
		require.ErrorIs(t, openIn(fs), ErrDamaged, "a new ledger was made in the place of the old one")
	})
	t.Run("damaged tables", func(t *testing.T) {
		fs := vfs.NewMem()
		fill(t, fs)
		scribble(t, fs, "0", 2)
		_, err := Check(t.Context(), "ledger", fs, func(string) {})
		require.ErrorIs(t, err, ErrDamaged)
		s, err := Open(t.Context(), Options{Dir: "ledger", FS: fs, FilterBytes: 1 << 10})
		for id := ws.ConversationID(1); err == nil && id < 30; id++ {
			_, err = s.Page(t.Context(), id, 1, 0, 1<<20, 1<<30)
		}
		require.Error(t, err, "damage is an error to whoever reads")
		if s != nil {
			require.NoError(t, s.Close())
		}
	})
	t.Run("ErrForeign", func(t *testing.T) {
		fs := vfs.NewMem()
		require.NoError(t, fs.MkdirAll("ledger", 0o755))
		_, err := fs.Create("ledger/holiday.jpg", vfs.WriteCategoryUnspecified)
		require.NoError(t, err)
		err = openIn(fs)
		require.ErrorIs(t, err, ErrForeign)
		require.ErrorContains(t, err, "holiday.jpg")
		names, err := fs.List("ledger")
		require.NoError(t, err)
		require.Equal(t, []string{"holiday.jpg"}, names, "nothing is put beside it")
	})
	t.Run("ErrForeign database", func(t *testing.T) {
		fs := vfs.NewMem()
		require.NoError(t, fs.MkdirAll("ledger", 0o755))
		raw(t, fs, func(db *pebble.DB) { require.NoError(t, db.Set([]byte("Key"), nil, pebble.Sync)) })
		require.ErrorIs(t, openIn(fs), ErrForeign)
	})
	t.Run("on the disk", func(t *testing.T) {
		dir := t.TempDir()
		s, err := Open(t.Context(), Options{Dir: dir, FilterBytes: 1 << 10})
		require.NoError(t, err)
		_, err = Open(t.Context(), Options{Dir: dir, FilterBytes: 1 << 10})
		require.ErrorIs(t, err, ErrLocked)
		require.NoError(t, s.Commit(t.Context(), []ws.Op{&ws.PutUser{OpenID: "alice"}}))
		_, err = Check(t.Context(), dir, nil, func(string) {})
		require.ErrorIs(t, err, ErrLocked)
		require.NoError(t, s.Close())
		sum, err := Check(t.Context(), dir, nil, func(line string) { t.Error(line) })
		require.NoError(t, err)
		require.Equal(t, 1, sum.Users)
	})
}

// exportedLedger is what an export says of the ledger.
func exportedLedger(t *testing.T, fs vfs.FS) (found *ws.TransferLedger) {
	require.NoError(t, Export(t.Context(), "ledger", fs, func(given *ws.Transfer) error {
		if given.Ledger != nil {
			found = given.Ledger
		}
		return nil
	}))
	require.NotNil(t, found)
	return found
}

// fill makes a ledger with a few tables.
func fill(t *testing.T, fs vfs.FS) {
	s := mustOpenTiny(t, fs)
	l := newLoad(1)
	for range 300 {
		l.step(t, s)
	}
	require.NoError(t, s.Close())
}

// named lists the files of the ledger whose names begin with one of the prefixes.
func named(t *testing.T, fs vfs.FS, prefixes ...string) []string {
	names, err := fs.List("ledger")
	require.NoError(t, err)
	names = slices.DeleteFunc(names, func(name string) bool {
		return !slices.ContainsFunc(prefixes, func(prefix string) bool { return strings.HasPrefix(name, prefix) })
	})
	require.NotEmpty(t, names)
	return names
}

func remove(t *testing.T, fs vfs.FS, prefixes ...string) {
	for _, name := range named(t, fs, prefixes...) {
		require.NoError(t, fs.Remove("ledger/"+name))
	}
}

// scribble flips bytes in every file whose name begins so: at its beginning (part 1), or in its middle (part 2).
func scribble(t *testing.T, fs *vfs.MemFS, prefix string, part int) {
	for _, name := range named(t, fs, prefix) {
		file, err := fs.Open("ledger/" + name)
		require.NoError(t, err)
		content, err := io.ReadAll(file)
		require.NoError(t, err)
		start := len(content) - len(content)/part
		for i := start; i < start+20 && i < len(content); i++ {
			content[i] ^= 0xff
		}
		changed, err := fs.Create("ledger/"+name, vfs.WriteCategoryUnspecified)
		require.NoError(t, err)
		_, err = changed.Write(content)
		require.NoError(t, err)
		require.NoError(t, changed.Close())
	}
}

// deniedFS lets nobody lock a file.
type deniedFS struct{ vfs.FS }

func (deniedFS) Lock(name string) (io.Closer, error) {
	return nil, &os.PathError{Op: "open", Path: name, Err: os.ErrPermission}
}
