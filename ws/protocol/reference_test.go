package protocol_test

import (
	"bytes"
	"encoding/json"
	"io"
	"regexp"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// wellFormed says with encoding/json, and by other means than the decoder's, which texts are no bad_json.
func wellFormed(data []byte) bool {
	return json.Valid(data) && utf8.Valid(data) && depth(data) <= 32 && surrogatesPaired(data)
}

func depth(data []byte) (deepest int) {
	tokens := json.NewDecoder(bytes.NewReader(data))
	tokens.UseNumber()
	for at := 0; ; {
		token, err := tokens.Token()
		if err == io.EOF {
			return deepest
		}
		switch token {
		case json.Delim('{'), json.Delim('['):
			at++
			deepest = max(deepest, at)
		case json.Delim('}'), json.Delim(']'):
			at--
		}
	}
}

// escapes finds all escapes of a valid JSON text from left to right, since backslashes stand only in its strings.
var escapes = regexp.MustCompile(`\\(?:u([0-9a-fA-F]{4})|.)`)

func surrogatesPaired(data []byte) bool {
	end := -1 // of the high half that waits for its low one
	for _, at := range escapes.FindAllSubmatchIndex(data, -1) {
		var unit uint64
		if at[2] >= 0 {
			unit, _ = strconv.ParseUint(string(data[at[2]:at[3]]), 16, 16)
		}
		switch {
		case end >= 0:
			if at[0] != end || unit < 0xDC00 || unit > 0xDFFF {
				return false
			}
			end = -1
		case utf16.IsSurrogate(rune(unit)):
			if unit >= 0xDC00 {
				return false
			}
			end = at[1]
		}
	}
	return end < 0
}

// members returns an object's members by their exact names, with the number of times each was given.
func members(object json.RawMessage) (values map[string]json.RawMessage, times map[string]int) {
	values, times = map[string]json.RawMessage{}, map[string]int{}
	tokens := json.NewDecoder(bytes.NewReader(object))
	if start, _ := tokens.Token(); start != json.Delim('{') {
		return values, times
	}
	for tokens.More() {
		key, _ := tokens.Token()
		var v json.RawMessage
		if tokens.Decode(&v) != nil {
			return values, times
		}
		values[key.(string)] = v
		times[key.(string)]++
	}
	return values, times
}

// stringOf returns the string that v is, or "".
func stringOf(v json.RawMessage) string {
	var s string
	_ = json.Unmarshal(v, &s)
	return s
}

func isString(v json.RawMessage) bool { return len(v) > 0 && v[0] == '"' }

// integerOf returns the integer that v is in digits, or 0.
func integerOf(v json.RawMessage) uint64 {
	n, _ := strconv.ParseUint(string(v), 10, 64)
	return n
}
