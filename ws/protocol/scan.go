package protocol

import (
	"strconv"
	"strings"
	"unicode/utf16"
)

// MaxDepth is how many objects and arrays of a client's frame may stand inside each other, the frame itself counted.
const MaxDepth = 32

// kind is the kind of a JSON value; the zero value stands for a value that was not given.
type kind uint8

const (
	kindAbsent kind = iota
	kindNull
	kindBool
	kindNumber
	kindText
	kindArray
	kindObject
)

// value is a JSON value that was found to be well formed, by the text it stands in.
type value struct {
	kind    kind
	escaped bool // a string with at least one escape
	raw     string
}

// text returns the string that a value of kindText stands for. Only one with escapes costs an allocation.
func (v value) text() string {
	inner := v.raw[1 : len(v.raw)-1]
	if v.escaped {
		return unescape(inner)
	}
	return inner
}

// integer returns the whole number from 0 to MaxInteger that v is, if it is one.
func (v value) integer() (uint64, bool) {
	if v.kind != kindNumber {
		return 0, false
	}
	return parseInteger(v.raw)
}

// scanner walks through a JSON text, which is known to be valid UTF-8. It is strict: what it passes over is well formed.
type scanner struct {
	input string
	pos   int
}

// fail says what is wrong where the scanner stands. It never quotes the input, which may be somebody's message.
func (s *scanner) fail(what string) *Error {
	if s.pos >= len(s.input) {
		return NewError(BadJSON, "the JSON text ends too early")
	}
	return NewError(BadJSON, what+" at byte "+strconv.Itoa(s.pos))
}

// space passes over white space and returns the byte after it, 0 at the end. A zero byte is no JSON either, so the two
// need not be told apart.
func (s *scanner) space() byte {
	for s.pos < len(s.input) {
		switch c := s.input[s.pos]; c {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return c
		}
	}
	return 0
}

// end fails unless nothing but white space is left.
func (s *scanner) end() *Error {
	if s.space(); s.pos < len(s.input) {
		return s.fail("data after the frame")
	}
	return nil
}

// value passes over the next value. depth is the number of objects and arrays that stand around it.
func (s *scanner) value(depth int) (value, *Error) {
	c := s.space()
	start := s.pos
	switch {
	case c == '"':
		return s.string()
	case c == '{':
		err := s.skipObject(depth + 1)
		return value{kind: kindObject, raw: s.input[start:s.pos]}, err
	case c == '[':
		err := s.skipArray(depth + 1)
		return value{kind: kindArray, raw: s.input[start:s.pos]}, err
	case c == '-' || isDigit(c):
		err := s.skipNumber()
		return value{kind: kindNumber, raw: s.input[start:s.pos]}, err
	case c == 't':
		return s.literal("true", kindBool)
	case c == 'f':
		return s.literal("false", kindBool)
	case c == 'n':
		return s.literal("null", kindNull)
	default:
		return value{}, s.fail("unexpected character")
	}
}

// open passes over the bracket that begins an object or array; depth counts the one that it opens.
func (s *scanner) open(depth int) *Error {
	if depth > MaxDepth {
		return s.fail("nesting deeper than " + strconv.Itoa(MaxDepth) + " levels")
	}
	s.pos++
	return nil
}

// member passes over what stands between two values of an object: its next key with the colon, or its end (more is
// false). The scanner stands after the opening brace (first is true) or after a value.
func (s *scanner) member(first bool) (key value, more bool, err *Error) {
	if more, err = s.next(first, '}'); err != nil || !more {
		return value{}, false, err
	}
	if s.space() != '"' {
		return value{}, false, s.fail("a key must be a string: unexpected character")
	}
	if key, err = s.string(); err != nil {
		return value{}, false, err
	}
	if s.space() != ':' {
		return value{}, false, s.fail("a key needs a colon: unexpected character")
	}
	s.pos++
	return key, true, nil
}

// next passes over a comma between two values, or over the bracket that closes them (more is false).
func (s *scanner) next(first bool, closing byte) (more bool, err *Error) {
	switch c := s.space(); {
	case c == closing:
		s.pos++
		return false, nil
	case first:
		return true, nil
	case c == ',':
		s.pos++
		return true, nil
	default:
		return false, s.fail("unexpected character")
	}
}

func (s *scanner) skipObject(depth int) *Error {
	if err := s.open(depth); err != nil {
		return err
	}
	for first := true; ; first = false {
		if _, more, err := s.member(first); err != nil || !more {
			return err
		}
		if _, err := s.value(depth); err != nil {
			return err
		}
	}
}

func (s *scanner) skipArray(depth int) *Error {
	if err := s.open(depth); err != nil {
		return err
	}
	for first := true; ; first = false {
		if more, err := s.next(first, ']'); err != nil || !more {
			return err
		}
		if _, err := s.value(depth); err != nil {
			return err
		}
	}
}

func (s *scanner) literal(word string, k kind) (value, *Error) {
	if !strings.HasPrefix(s.input[s.pos:], word) {
		return value{}, s.fail("unknown word")
	}
	s.pos += len(word)
	return value{kind: k, raw: word}, nil
}

func (s *scanner) skipNumber() *Error {
	if s.input[s.pos] == '-' {
		s.pos++
	}
	if s.peek() == '0' {
		s.pos++
		if isDigit(s.peek()) {
			return s.fail("a number with a leading zero")
		}
	} else if err := s.skipDigits(); err != nil {
		return err
	}
	if s.peek() == '.' {
		s.pos++
		if err := s.skipDigits(); err != nil {
			return err
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.pos++
		if c := s.peek(); c == '+' || c == '-' {
			s.pos++
		}
		return s.skipDigits()
	}
	return nil
}

func (s *scanner) skipDigits() *Error {
	if !isDigit(s.peek()) {
		return s.fail("a number needs a digit: unexpected character")
	}
	for isDigit(s.peek()) {
		s.pos++
	}
	return nil
}

// peek returns the byte where the scanner stands, 0 at the end.
func (s *scanner) peek() byte {
	if s.pos < len(s.input) {
		return s.input[s.pos]
	}
	return 0
}

func (s *scanner) string() (value, *Error) {
	start := s.pos
	escaped := false
	for s.pos = skipPlain(s.input, s.pos+1); s.pos < len(s.input); {
		switch c := s.input[s.pos]; {
		case c == '"':
			s.pos++
			return value{kind: kindText, escaped: escaped, raw: s.input[start:s.pos]}, nil
		case c == '\\':
			escaped = true
			if err := s.escape(); err != nil {
				return value{}, err
			}
			s.pos = skipPlain(s.input, s.pos)
		case c < ' ':
			return value{}, s.fail("a raw control character in a string")
		default:
			s.pos++
		}
	}
	return value{}, s.fail("")
}

// escape passes over one escape, or over the two that a surrogate pair is made of.
func (s *scanner) escape() *Error {
	s.pos++
	switch s.peek() {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.pos++
		return nil
	case 'u':
	default:
		return s.fail("an unknown escape")
	}
	r, ok := hex4(s.input[s.pos+1:])
	if !ok {
		return s.fail("\\u without four hex digits")
	}
	if !utf16.IsSurrogate(r) {
		s.pos += 5
		return nil
	}
	if !pairs(r, s.input[s.pos+5:]) {
		return s.fail("an unpaired surrogate escape")
	}
	s.pos += 11
	return nil
}

// pairs reports whether rest begins with the escape of the low surrogate that high needs.
func pairs(high rune, rest string) bool {
	if !strings.HasPrefix(rest, `\u`) {
		return false
	}
	low, ok := hex4(rest[2:])
	return ok && high < 0xDC00 && low >= 0xDC00 && low <= 0xDFFF
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
