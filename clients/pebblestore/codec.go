package pebblestore

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/yanlink/yanlink/ws"
)

// errCorrupt says that a value in the ledger is not what was written there.
var errCorrupt = errors.New("the ledger is damaged")

// corrupt names the kind of record that does not decode.
func corrupt(kind byte) error {
	return fmt.Errorf("%w: a %s record does not decode; run check-store on a copy of the folder", errCorrupt, kindNames[kind])
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func appendMillis(dst []byte, t ws.Millis) []byte {
	return binary.AppendUvarint(dst, uint64(t))
}

func appendBool(dst []byte, b bool) []byte {
	if b {
		return append(dst, 1)
	}
	return append(dst, 0)
}

// decoder reads a value from its front. The first thing that does not fit empties it and is remembered, so that
// callers check once, in done.
type decoder struct {
	rest []byte
	bad  bool
}

func (d *decoder) fail() {
	d.rest, d.bad = nil, true
}

func (d *decoder) take(n int) []byte {
	if n < 0 || n > len(d.rest) {
		d.fail()
		return nil
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken
}

func (d *decoder) byte() byte {
	if b := d.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *decoder) bool() bool { return d.byte() != 0 }

func (d *decoder) uvarint() uint64 {
	n, size := binary.Uvarint(d.rest)
	if size <= 0 {
		d.fail()
		return 0
	}
	d.rest = d.rest[size:]
	return n
}

func (d *decoder) millis() ws.Millis { return ws.Millis(d.uvarint()) }

// raw returns bytes that are the value's own; the caller copies what it keeps.
func (d *decoder) raw() []byte {
	n := d.uvarint()
	if n > uint64(len(d.rest)) {
		d.fail()
		return nil
	}
	return d.take(int(n))
}

func (d *decoder) string() string { return string(d.raw()) }

func (d *decoder) fixed() uint64 {
	if b := d.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// name reads a key's name up to its zero byte.
func (d *decoder) name() string {
	for i, c := range d.rest {
		if c == 0 {
			name := string(d.rest[:i])
			d.rest = d.rest[i+1:]
			return name
		}
	}
	d.fail()
	return ""
}

// version reads the leading byte of a value and refuses any but want.
func (d *decoder) version(want byte) {
	if d.byte() != want {
		d.fail()
	}
}

// done returns an error that names kind unless everything fitted and nothing is left over.
func (d *decoder) done(kind byte) error {
	if d.bad || len(d.rest) != 0 {
		return corrupt(kind)
	}
	return nil
}
