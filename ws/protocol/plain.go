package protocol

// The masks repeat one byte eight times.
const (
	eachByte    = 0x0101010101010101
	highBits    = 0x80 * eachByte
	spaces      = ' ' * eachByte
	quotes      = '"' * eachByte
	backslashes = '\\' * eachByte
)

// skipPlain returns the first place at or after i where s may hold a quote, a backslash or a control character, the only
// bytes that mean something inside a JSON string. It looks at eight bytes at a time, since bodies are most of what passes
// through here, and may stop up to seven bytes early.
func skipPlain(s string, i int) int {
	for i+8 <= len(s) && !special(load(s, i)) {
		i += 8
	}
	return i
}

// special reports whether one of the eight bytes is a quote, a backslash or below the space. Subtracting sets the high bit
// of a byte that was smaller; those that had it before are masked out.
func special(w uint64) bool {
	quote, backslash := w^quotes, w^backslashes
	found := (w-spaces)&^w | (quote-eachByte)&^quote | (backslash-eachByte)&^backslash
	return found&highBits != 0
}

// plainASCII reports whether eight bytes are all ASCII and none of them special.
func plainASCII(w uint64) bool { return w&highBits == 0 && !special(w) }

// load reads eight bytes as a number, which the compiler turns into one instruction.
func load(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}
