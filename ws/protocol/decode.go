package protocol

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Decode reads a frame that a client sent into f, whatever f held before. It keeps nothing of data: f's strings share
// one copy of it, so keeping one of them keeps them all. Users, Marks and Pending reuse f's arrays and are good until the
// next call. It is safe for concurrent use with different frames.
//
// After an error f.ID and f.MsgID hold what could be read of them, f.Type the number if it was one, and nothing else of
// f counts; the error's MsgID is f.MsgID. Of several faults in one frame the answer names the first of: the text, a key
// given twice, id, type, params.
func Decode(data []byte, f *Frame) *Error {
	*f = Frame{Users: f.Users[:0], Marks: f.Marks[:0], Pending: f.Pending[:0]}
	d := decoder{scanner: scanner{input: string(data)}}
	err := d.scan()
	if err == nil {
		err = d.interpret(f)
	}
	if err != nil {
		d.identify(f)
		err.MsgID = f.MsgID
	}
	return err
}

// decoder holds where the parts of a frame stand. Everything is taken down in one pass and given a meaning only after it,
// since params may stand before type, and a fault may come before or after id.
type decoder struct {
	scanner
	typ, id, params value
	fields          [fieldCount]value
	twice           string // the first key found to be given twice
}

func (d *decoder) scan() *Error {
	if !utf8.ValidString(d.input) {
		at := invalidUTF8(d.input)
		d.input = d.input[:at]
		_ = d.object() // for id and msgid, which can be read as far as the text is valid
		return NewError(BadJSON, "invalid UTF-8 at byte "+strconv.Itoa(at))
	}
	if d.space() != '{' {
		if _, err := d.value(0); err != nil {
			return err
		}
		if err := d.end(); err != nil {
			return err
		}
		return NewError(BadFrame, "a frame is a JSON object")
	}
	if err := d.object(); err != nil {
		return err
	}
	return d.end()
}

func invalidUTF8(s string) int {
	for at := 0; ; {
		r, size := utf8.DecodeRuneInString(s[at:])
		if r == utf8.RuneError && size <= 1 {
			return at
		}
		at += size
	}
}

// object scans the frame itself.
func (d *decoder) object() *Error {
	if d.space() != '{' {
		return d.fail("unexpected character")
	}
	d.pos++
	for first := true; ; first = false {
		key, more, err := d.member(first)
		if err != nil || !more {
			return err
		}
		switch name := key.text(); name {
		case "type":
			err = d.take(&d.typ, name)
		case "id":
			err = d.take(&d.id, name)
		case "params":
			err = d.takeParams()
		default:
			_, err = d.value(1)
		}
		if err != nil {
			return err
		}
	}
}

func (d *decoder) take(into *value, name string) *Error {
	return d.keep(into, name, 1)
}

// keep scans a value into its place, unless something stands there already.
func (d *decoder) keep(into *value, name string, depth int) *Error {
	v, err := d.value(depth)
	if err != nil {
		return err
	}
	if into.kind == kindAbsent {
		*into = v
	} else if d.twice == "" {
		d.twice = name
	}
	return nil
}

func (d *decoder) takeParams() *Error {
	if d.params.kind != kindAbsent || d.space() != '{' {
		return d.take(&d.params, "params")
	}
	d.params.kind = kindObject
	d.pos++
	for first := true; ; first = false {
		key, more, err := d.member(first)
		if err != nil || !more {
			return err
		}
		name := key.text()
		if at := fieldOf(name); at != unknownField {
			err = d.keep(&d.fields[at], name, 2)
		} else {
			_, err = d.value(2)
		}
		if err != nil {
			return err
		}
	}
}

// identify finds, in a frame that failed, what its answer has to repeat.
func (d *decoder) identify(f *Frame) {
	if validID(d.id) {
		f.ID = d.id.raw
	}
	if v := d.fields[fieldMsgID]; v.kind == kindText {
		if msgID := v.text(); ValidMsgID(msgID) {
			f.MsgID = msgID
		}
	}
}

func validID(v value) bool {
	switch v.kind {
	case kindText:
		return utf8.RuneCountInString(v.text()) <= MaxMsgID
	case kindNumber:
		return len(v.raw) <= MaxMsgID
	default:
		return false
	}
}

// interpret gives what was scanned its meaning.
func (d *decoder) interpret(f *Frame) *Error {
	if d.twice != "" {
		return FieldError(BadFrame, d.twice, "given twice")
	}
	if d.id.kind != kindAbsent {
		if !validID(d.id) {
			return FieldError(BadField, "id", "must be a string or a number of at most 64 characters")
		}
		f.ID = d.id.raw
	}
	var err *Error
	if f.Type, err = d.frameType(); err != nil {
		return err
	}
	if !fromClient(f.Type) {
		return FieldError(UnknownType, "type", "a client cannot send frames of type "+strconv.Itoa(int(f.Type)))
	}
	if k := d.params.kind; k != kindAbsent && k != kindNull && k != kindObject {
		return FieldError(BadField, "params", "must be an object")
	}
	return d.read(f)
}

func fromClient(t Type) bool {
	switch t {
	case TypeSend, TypeRegister, TypeHeartbeat, TypeAck, TypePing, TypeRenew, TypeWatch, TypeRead, TypeSignal, TypeSync, TypeRecall:
		return true
	default:
		return false
	}
}

// read reads the params of a frame. Heartbeats have none.
func (d *decoder) read(f *Frame) *Error {
	switch f.Type {
	case TypeSend:
		return d.send(f)
	case TypeAck:
		return d.ack(f)
	case TypeRegister:
		return d.register(f)
	case TypeRenew:
		return d.renew(f)
	case TypeWatch:
		return d.watch(f)
	case TypeRead:
		return d.markRead(f)
	case TypeSignal:
		return d.signal(f)
	case TypeSync:
		return d.sync(f)
	case TypeRecall:
		return d.recall(f)
	default:
		return nil
	}
}

// frameType reads the frame's type, a number or the string of one.
func (d *decoder) frameType() (Type, *Error) {
	var digits string
	switch d.typ.kind {
	case kindAbsent:
		return 0, FieldError(MissingField, "type", "missing")
	case kindNumber:
		digits = d.typ.raw
	case kindText:
		digits = d.typ.text()
	}
	unsigned, negative := strings.CutPrefix(digits, "-")
	n, ok := parseInteger(unsigned)
	if !ok {
		return 0, FieldError(BadField, "type", "must be the number of a frame")
	}
	if negative {
		return -Type(n), nil
	}
	return Type(n), nil
}
