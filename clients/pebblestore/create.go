package pebblestore

import (
	"errors"
	"fmt"
	"os"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/yanlink/yanlink/ws"
)

// ledgerOf reads what the ledger says of itself, or makes a new one.
func ledgerOf(db *pebble.DB, opt *Options) (info ws.LedgerInfo, err error) {
	ok, err := lookup(db, []byte{kindLedger}, func(value []byte) error {
		info, err = decodeLedger(value)
		return err
	})
	if err != nil {
		return info, err
	}
	marked, err := isMarked(opt)
	switch {
	case err != nil:
		return info, err
	case !ok && marked:
		return info, fmt.Errorf("%w: its first record is gone", errCorrupt)
	case !ok:
		if info, err = create(db, opt.Dir); err != nil {
			return info, err
		}
	case info.Format > format:
		return info, fmt.Errorf("%w: %s has number %d, and this program knows %d; start the newer program",
			ErrNewerFormat, opt.Dir, info.Format, format)
	case info.Format < format:
		opt.Log.Info("the ledger is brought to a new format", "format", format)
		if info, err = upgrade(db, info); err != nil {
			return info, err
		}
	}
	if marked {
		return info, nil
	}
	return info, mark(opt)
}

// markName is a file that says that a ledger was made here. Of a list of files that is damaged, Pebble reads what comes
// before the damage, which may be nothing: without the mark, a new ledger would be made in the place of the old one.
const markName = "LEDGER"

func isMarked(opt *Options) (bool, error) {
	_, err := opt.FS.Stat(opt.FS.PathJoin(opt.Dir, markName))
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func mark(opt *Options) error {
	file, err := opt.FS.Create(opt.FS.PathJoin(opt.Dir, markName), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write([]byte("This folder is a Yanlink ledger. Its files belong together.\n"))
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return syncFolder(opt.FS, opt.Dir)
}

func syncFolder(fs vfs.FS, dir string) error {
	folder, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// create writes the first records of a ledger, as one.
func create(db *pebble.DB, dir string) (ws.LedgerInfo, error) {
	info := ws.LedgerInfo{Format: format, Epoch: 1}
	var held, foreign bool
	err := scan(db, nil, func(key, _ []byte) (bool, error) {
		held = true
		_, known := kindNames[key[0]]
		foreign = !known
		return known, nil
	})
	switch {
	case err != nil:
		return info, err
	case foreign:
		return info, fmt.Errorf("%w: %s is a database of another program; choose an empty folder", ErrForeign, dir)
	case held:
		return info, corrupt(kindLedger) // all of it is ours, but for the first record
	}
	b, secret := &batch{Batch: db.NewBatch()}, ws.NewSecret()
	system := ws.Conversation{ID: ws.SystemConversation, Kind: ws.System, Key: "system", First: 1}
	return info, errors.Join(
		b.set([]byte{kindLedger}, encodeLedger(nil, info)),
		b.set([]byte{kindSecret}, secret[:]),
		b.set([]byte{kindCounters}, encodeCounters(nil, counters{conversation: uint64(ws.SystemConversation) + 1, scheduled: 1, event: 1})),
		b.set(conversationKey(nil, system.ID), encodeConversation(nil, &system)),
		b.set(nameKey(nil, system.Kind, system.Key), appendID(nil, uint64(system.ID))),
		b.seal(),
		b.Commit(pebble.Sync),
	)
}

// upgrade brings a ledger of the first format, which has no secret, to this one, as one write.
func upgrade(db *pebble.DB, info ws.LedgerInfo) (ws.LedgerInfo, error) {
	info.Format = format
	b, secret := &batch{Batch: db.NewBatch()}, ws.NewSecret()
	return info, errors.Join(
		b.set([]byte{kindLedger}, encodeLedger(nil, info)),
		b.set([]byte{kindSecret}, secret[:]),
		b.seal(),
		b.Commit(pebble.Sync),
	)
}

// secretOf reads the secret, which a ledger of this format has.
func secretOf(db *pebble.DB) (ws.Secret, error) {
	secret, ok, err := loadSecret(db)
	if err == nil && !ok {
		err = fmt.Errorf("%w: its secret is gone", errCorrupt)
	}
	return secret, err
}
