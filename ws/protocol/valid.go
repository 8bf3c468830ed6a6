package protocol

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Limits of what a client may send.
const (
	MaxOpenID   = 128     // bytes
	MaxMsgID    = 64      // characters; of a frame's id too
	MaxDevice   = 64      // bytes
	MaxMarks    = 1000    // conversations of one sync
	MaxPending  = 1000    // pending messages of one sync
	MaxSignal   = 1024    // bytes
	MaxUsers    = 1000    // users of one subscription to presence
	MaxFileType = 4       // video
	MaxInteger  = 1 << 53 // what a JavaScript number still holds exactly
)

// ValidOpenID reports whether s can be a user: 1 to MaxOpenID bytes of valid UTF-8 without comma or control characters.
func ValidOpenID(s string) bool {
	return s != "" && len(s) <= MaxOpenID && utf8.ValidString(s) && strings.IndexByte(s, ',') < 0 && !hasControl(s)
}

// ValidMsgID reports whether s can be a sender's own key: at most MaxMsgID characters of valid UTF-8, no control
// characters among them. The empty one, which stands for none, is valid.
func ValidMsgID(s string) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= MaxMsgID && !hasControl(s)
}

// ValidDevice reports whether s can name a device: 1 to MaxDevice letters and digits of ASCII, "-", "_", "." and "~".
func ValidDevice(s string) bool {
	if s == "" || len(s) > MaxDevice {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && !isDigit(c) && strings.IndexByte("-_.~", c) < 0 {
			return false
		}
	}
	return true
}

func hasControl(s string) bool { return strings.IndexFunc(s, unicode.IsControl) >= 0 }

// parseInteger reads a whole number from 0 to MaxInteger, written in digits only and without a leading zero.
func parseInteger(s string) (uint64, bool) {
	if s == "" || len(s) > 16 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		if !isDigit(s[i]) {
			return 0, false
		}
		n = n*10 + uint64(s[i]-'0')
	}
	return n, n <= MaxInteger
}
