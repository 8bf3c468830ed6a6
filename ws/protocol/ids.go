package protocol

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
)

// ConversationID is the number of a conversation, given once by the ledger and never zero.
// On the wire it is a string of 16 lower-case hex digits, since 64-bit numbers break in JavaScript.
type ConversationID uint64

// String returns the 16 hex digits of the wire form.
func (c ConversationID) String() string { return string(AppendHex64(nil, uint64(c))) }

// ParseConversationID reads the wire form: exactly 16 lower-case hex digits, not all zero.
func ParseConversationID(s string) (ConversationID, error) {
	n, ok := parseHex64(s)
	if !ok || n == 0 {
		return 0, fmt.Errorf("a conversationId is 16 lower-case hex digits")
	}
	return ConversationID(n), nil
}

// MessageID is the position of a record in the ledger; the position is the identity.
type MessageID struct {
	Conversation ConversationID
	Seq          uint64
}

// IsZero reports whether m names no record.
func (m MessageID) IsZero() bool { return m == MessageID{} }

// String returns the 32 hex digits of the wire form: the conversation's number and the seq, 16 each.
func (m MessageID) String() string { return string(AppendMessageID(nil, m)) }

// AppendMessageID appends the wire form of m to dst.
func AppendMessageID(dst []byte, m MessageID) []byte {
	return AppendHex64(AppendHex64(dst, uint64(m.Conversation)), m.Seq)
}

// ParseMessageID reads the wire form: exactly 32 lower-case hex digits, neither half zero.
func ParseMessageID(s string) (MessageID, bool) {
	if len(s) != 32 {
		return MessageID{}, false
	}
	conversation, ok := parseHex64(s[:16])
	if !ok || conversation == 0 {
		return MessageID{}, false
	}
	seq, ok := parseHex64(s[16:])
	if !ok || seq == 0 {
		return MessageID{}, false
	}
	return MessageID{ConversationID(conversation), seq}, true
}

// AppendHex64 appends n as 16 lower-case hex digits.
func AppendHex64(dst []byte, n uint64) []byte {
	var raw [8]byte
	binary.BigEndian.PutUint64(raw[:], n)
	return hex.AppendEncode(dst, raw[:])
}

func parseHex64(s string) (uint64, bool) {
	if len(s) != 16 {
		return 0, false
	}
	var n uint64
	for i := range len(s) {
		c := s[i]
		switch {
		case c >= '0' && c <= '9':
			n = n<<4 | uint64(c-'0')
		case c >= 'a' && c <= 'f':
			n = n<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
