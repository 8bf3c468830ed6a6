package wire

import (
	"encoding/hex"
	"fmt"
	"strings"
)

const (
	// RunChars is the length of the part of a msgid that names the run.
	RunChars = 8
	// MsgIDChars is the length of a msgid: run, sender and counter, each in 8 hex digits.
	MsgIDChars = RunChars + 16
)

// AppendMsgID appends the msgid of a sender's message number counter. run has RunChars characters.
func AppendMsgID(dst []byte, run string, sender, counter uint32) []byte {
	dst = append(dst, run...)
	return appendHex(appendHex(dst, sender), counter)
}

func appendHex(dst []byte, n uint32) []byte {
	raw := [4]byte{byte(n >> 24), byte(n >> 16), byte(n >> 8), byte(n)}
	return hex.AppendEncode(dst, raw[:])
}

// ParseMsgID takes a msgid of this run apart; ok is false for any other.
func ParseMsgID(msgid []byte, run string) (sender, counter uint32, ok bool) {
	if len(msgid) != MsgIDChars || string(msgid[:RunChars]) != run {
		return 0, 0, false
	}
	var raw [8]byte
	if _, err := hex.Decode(raw[:], msgid[RunChars:]); err != nil {
		return 0, 0, false
	}
	return uint32(raw[0])<<24 | uint32(raw[1])<<16 | uint32(raw[2])<<8 | uint32(raw[3]),
		uint32(raw[4])<<24 | uint32(raw[5])<<16 | uint32(raw[6])<<8 | uint32(raw[7]), true
}

// Composer writes the frames of one client to its one peer.
type Composer struct {
	head, middle, tail string // of frame 1, around the msgid that begins the body and around the msgid
	ackHead, ackTail   string
	short              bool
}

// NewComposer returns a Composer for messages of body bytes from me to peer. A body that has room for it begins with its
// msgid, so that a checker can tell whose it is. Neither name may need escaping in JSON.
func NewComposer(me, peer string, body int) *Composer {
	c := &Composer{short: body < MsgIDChars}
	filler := strings.Repeat("x", body)
	if !c.short {
		filler = filler[MsgIDChars:]
	}
	c.head = fmt.Sprintf(`{"type":1,"params":{"toMessageId":"%s","message":"`, peer)
	c.middle = filler + `","fileType":0,"msgid":"`
	c.tail = `"}}`
	c.ackHead = `{"type":15,"params":{"from":"client","msgid":"`
	c.ackTail = fmt.Sprintf(`","fromUser":"%s","toUser":"%s"}}`, peer, me)
	return c
}

// AppendSend appends frame 1.
func (c *Composer) AppendSend(dst, msgid []byte) []byte {
	dst = append(dst, c.head...)
	if !c.short {
		dst = append(dst, msgid...)
	}
	dst = append(dst, c.middle...)
	dst = append(dst, msgid...)
	return append(dst, c.tail...)
}

// AppendAck appends frame 15.
func (c *Composer) AppendAck(dst, msgid []byte) []byte {
	dst = append(dst, c.ackHead...)
	dst = append(dst, msgid...)
	return append(dst, c.ackTail...)
}
