package app

import (
	"bufio"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/yanlink/yanlink/clients/pebblestore"
	"github.com/yanlink/yanlink/clients/sqlstore"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/ws"
)

// exportFormat is what an export begins with. A release that changes what follows changes it.
const exportFormat = "yanlink ledger, export 1"

// exported is one part of an export. The last one has no Item, and the Count of those before it.
type exported struct {
	Item  *ws.Transfer
	Count int
}

// tellEvery is how often somebody at a terminal is told how far it has come.
const tellEvery = 5 * time.Second

// progress counts and tells.
type progress struct {
	out   io.Writer
	done  string
	count int
	told  time.Time
}

func (p *progress) step() {
	p.count++
	if p.count%1000 == 0 && time.Since(p.told) > tellEvery {
		p.told = time.Now()
		p.tell()
	}
}

func (p *progress) tell() { _, _ = fmt.Fprintf(p.out, "%d records %s\n", p.count, p.done) }

// Export writes all that the ledger in dir holds to out, for Import; no process may have the ledger open. How far it has come
// goes to told.
func Export(ctx context.Context, dir string, out, told io.Writer) error {
	buffer := bufio.NewWriterSize(out, 1<<20)
	encoder := gob.NewEncoder(buffer)
	if err := encoder.Encode(exportFormat); err != nil {
		return fmt.Errorf("write the export: %w", err)
	}
	p := &progress{out: told, done: "exported", told: time.Now()}
	write := func(e *exported) error {
		if err := encoder.Encode(e); err != nil {
			return fmt.Errorf("write the export: %w", err)
		}
		return nil
	}
	err := pebblestore.Export(ctx, dir, nil, func(t *ws.Transfer) error {
		p.step()
		return write(&exported{Item: t})
	})
	if err == nil {
		err = write(&exported{Count: p.count})
	}
	if err == nil {
		err = buffer.Flush()
	}
	if err == nil {
		p.tell()
	}
	return err
}

// Import takes what Export wrote into the empty database that the configuration names. Each record is read back and compared.
// If it does not come to its end, no node takes the ledger, and the database is to be dropped.
func Import(ctx context.Context, cfg *configs.Config, in io.Reader, told io.Writer) (err error) {
	if cfg.Store.Driver == "pebble" {
		return errors.New("import is for a database; set store.driver and store.dsn to an empty one")
	}
	decoder := gob.NewDecoder(bufio.NewReaderSize(in, 1<<20))
	var format string
	if err := decoder.Decode(&format); err != nil || format != exportFormat {
		return fmt.Errorf("what comes is no export; run yanlink export DIR | yanlink -config FILE import: %w", errors.Join(err, errFormat))
	}
	importer, err := sqlstore.NewImporter(ctx, commandSQL(cfg))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, importer.Close()) }()
	p := &progress{out: told, done: "imported and read back", told: time.Now()}
	if err := receive(ctx, decoder, importer, p); err != nil {
		return fmt.Errorf("the import has not ended; drop the database before the next one: %w", err)
	}
	p.tell()
	return nil
}

var errFormat = errors.New("it does not begin with " + exportFormat)

// receive takes everything up to the last part.
func receive(ctx context.Context, decoder *gob.Decoder, importer *sqlstore.Importer, p *progress) error {
	for {
		var part exported
		if err := decoder.Decode(&part); err != nil {
			return fmt.Errorf("the export has no end: %w", err)
		}
		if part.Item == nil {
			if part.Count != p.count {
				return fmt.Errorf("%d records came of %d", p.count, part.Count)
			}
			return importer.Finish(ctx)
		}
		if err := importer.Take(ctx, part.Item); err != nil {
			return err
		}
		p.step()
	}
}
