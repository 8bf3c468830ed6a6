package protocol

import (
	"strings"
	"unicode/utf16"
)

// unescape returns what the inside of a string that the scanner passed over stands for.
func unescape(s string) string {
	var out strings.Builder
	out.Grow(len(s)) // no escape is shorter than what it stands for
	for {
		at := strings.IndexByte(s, '\\')
		if at < 0 {
			out.WriteString(s)
			return out.String()
		}
		out.WriteString(s[:at])
		r, size := escapedRune(s[at+1:])
		out.WriteRune(r)
		s = s[at+1+size:]
	}
}

// escapedRune returns what the escape stands for whose backslash stands before s, and how many bytes of s it takes.
func escapedRune(s string) (rune, int) {
	switch s[0] {
	case 'b':
		return '\b', 1
	case 'f':
		return '\f', 1
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	case 'u':
		r, _ := hex4(s[1:])
		if !utf16.IsSurrogate(r) {
			return r, 5
		}
		low, _ := hex4(s[7:])
		return utf16.DecodeRune(r, low), 11
	default: // a quote, a slash or a backslash stands for itself
		return rune(s[0]), 1
	}
}

// hex4 reads the four hex digits that s begins with.
func hex4(s string) (r rune, ok bool) {
	if len(s) < 4 {
		return 0, false
	}
	for i := range 4 {
		c := s[i]
		switch {
		case isDigit(c):
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}
