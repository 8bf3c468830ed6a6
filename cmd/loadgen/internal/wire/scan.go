package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// The frames a server sends, by their number.
const (
	Accepted  = 0
	Message   = 2
	Acked     = 16
	Delivered = 17
	Synced    = 29
	Hello     = 33
	Refused   = 500
)

var (
	keyType    = []byte(`"type":`)
	keyMsgID   = []byte(`"msgid":"`)
	keyMessage = []byte(`"message":"`)
)

// Scan finds the type of a server's frame and the msgid it is about (empty for frames without one). It relies on what
// the generator knows of its own traffic: no body, name or msgid has a quotation mark or a backslash in it, so the first
// place where a key stands is the key. What it cannot read so, it decodes.
func Scan(frame []byte) (kind int, msgid []byte, err error) {
	kind, ok := number(after(frame, keyType))
	if !ok {
		return slow(frame)
	}
	switch kind {
	case Accepted, Message, Delivered:
		msgid = text(after(frame, keyMsgID))
	case Acked:
		msgid = text(after(frame, keyMessage))
	default:
		return kind, nil, nil
	}
	if msgid == nil {
		return slow(frame)
	}
	return kind, msgid, nil
}

func after(b, key []byte) []byte {
	at := bytes.Index(b, key)
	if at < 0 {
		return nil
	}
	return b[at+len(key):]
}

func number(b []byte) (n int, ok bool) {
	for i, c := range b {
		if c < '0' || c > '9' {
			return n, i > 0
		}
		n = n*10 + int(c-'0')
	}
	return 0, false
}

func text(b []byte) []byte {
	end := bytes.IndexByte(b, '"')
	if end < 0 {
		return nil
	}
	return b[:end]
}

func slow(frame []byte) (int, []byte, error) {
	f, err := Decode(frame)
	if err != nil {
		return 0, nil, err
	}
	if f.Type == Acked {
		return f.Type, []byte(f.Params.Message), nil
	}
	return f.Type, []byte(f.Params.MsgID), nil
}

// Frame is a server's frame, decoded: a reply, or an envelope's msg.
type Frame struct {
	Type      int
	MessageID string // of the envelope
	Params    Params
}

// Params are those fields of a frame that the generator looks at.
type Params struct {
	MsgID        string `json:"msgid"`
	Message      string `json:"message"`
	MessageID    string `json:"messageId"`
	Conversation string `json:"conversationId"`
	Seq          uint64 `json:"seq"`
	Redelivered  bool   `json:"redelivered"`
	Duplicate    bool   `json:"duplicate"`
	Code         string `json:"code"`
	Temporary    bool   `json:"temporary"`
	FromUser     struct {
		OpenID string `json:"openid"`
	} `json:"fromUser"`
}

// Decode reads a whole frame the slow way.
func Decode(frame []byte) (Frame, error) {
	var raw struct {
		Type      *typeNumber `json:"type"`
		Params    Params      `json:"params"`
		MessageID string      `json:"messageId"`
		Msg       *struct {
			Type   typeNumber      `json:"type"`
			Params json.RawMessage `json:"params"`
		} `json:"msg"`
	}
	if err := json.Unmarshal(frame, &raw); err != nil {
		return Frame{}, fmt.Errorf("decode a server's frame: %w", err)
	}
	if raw.Type != nil {
		return Frame{Type: int(*raw.Type), Params: raw.Params}, nil
	}
	if raw.Msg == nil {
		return Frame{}, fmt.Errorf("a server's frame without type and msg: %.80q", frame)
	}
	f := Frame{Type: int(raw.Msg.Type), MessageID: raw.MessageID}
	if len(raw.Msg.Params) > 0 {
		// 17 as given has toUser as a text, frame 2 as an object: only known fields are asked for.
		if err := json.Unmarshal(raw.Msg.Params, &f.Params); err != nil {
			return Frame{}, fmt.Errorf("decode an envelope's params: %w", err)
		}
	}
	return f, nil
}

// typeNumber reads a type; what is not a number (the word "pong") reads as -1.
type typeNumber int

// UnmarshalJSON implements json.Unmarshaler.
func (t *typeNumber) UnmarshalJSON(b []byte) error {
	n, err := strconv.Atoi(string(b))
	if err != nil {
		n = -1
	}
	*t = typeNumber(n)
	return nil
}
