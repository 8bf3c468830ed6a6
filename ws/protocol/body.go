package protocol

import (
	"strconv"
	"unicode/utf8"
)

// BodyFields reads a request body that is a JSON object, as strictly as Decode reads frames (UTF-8, nesting, unpaired
// surrogates), and returns the raw JSON of its fields by name. A name given twice is refused: which of the two is meant,
// nobody can tell. It is safe for concurrent use and keeps nothing of data.
func BodyFields(data []byte) (map[string]string, *Error) {
	s := scanner{input: string(data)}
	if !utf8.ValidString(s.input) {
		return nil, NewError(BadJSON, "invalid UTF-8 at byte "+strconv.Itoa(invalidUTF8(s.input)))
	}
	if s.space() != '{' {
		if _, err := s.value(0); err != nil {
			return nil, err
		}
		return nil, NewError(BadJSON, "the body has to be a JSON object")
	}
	s.pos++
	fields := make(map[string]string)
	for first := true; ; first = false {
		key, more, err := s.member(first)
		if err != nil {
			return nil, err
		}
		if !more {
			return fields, s.end()
		}
		name := key.text()
		v, err := s.value(1)
		if err != nil {
			return nil, err
		}
		if _, twice := fields[name]; twice {
			return nil, FieldError(BadJSON, name, "given twice")
		}
		fields[name] = v.raw
	}
}
