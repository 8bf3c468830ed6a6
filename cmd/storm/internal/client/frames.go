package client

import (
	"encoding/json"
	"strings"

	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// inbound is any frame of the server: a reply, or an envelope around a record. The storm reads the wire by itself, with
// none of the server's code.
type inbound struct {
	Type      json.RawMessage `json:"type"`
	ID        json.RawMessage `json:"id"`
	Params    fields          `json:"params"`
	MessageID string          `json:"messageId"`
	To        []string        `json:"to"`
	Msg       *struct {
		Type   json.RawMessage `json:"type"`
		Params fields          `json:"params"`
	} `json:"msg"`
}

// fields are the params of all frames together.
type fields struct {
	Message        string `json:"message"`
	MsgID          string `json:"msgid"`
	MessageID      string `json:"messageId"`
	ConversationID string `json:"conversationId"`
	Seq            uint64 `json:"seq"`
	PrevSeq        uint64 `json:"prevSeq"`
	UpTo           uint64 `json:"upTo"`
	Duplicate      bool   `json:"duplicate"`
	ScheduledID    string `json:"scheduledId"`
	FromUser       person `json:"fromUser"`
	ToUser         person `json:"toUser"`
	Recalled       string `json:"recalled"`
	By             person `json:"by"`
	Device         string `json:"device"`
	NewDevice      bool   `json:"newDevice"`
	Epoch          uint64 `json:"epoch"`
	Reset          bool   `json:"reset"`
	Code           string `json:"code"`
	Temporary      bool   `json:"temporary"`

	Waiting []string    `json:"waiting"`
	Gone    []string    `json:"gone"`
	Errors  []markError `json:"errors"`
}

type markError struct {
	ConversationID string `json:"conversationId"`
	Code           string `json:"code"`
}

// person is an openid, or the object around one.
type person string

// UnmarshalJSON reads both forms.
func (p *person) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '{' {
		var object struct {
			OpenID string `json:"openid"`
		}
		err := json.Unmarshal(data, &object)
		*p = person(object.OpenID)
		return err
	}
	var openID string
	err := json.Unmarshal(data, &openID)
	*p = person(openID)
	return err
}

// decode returns a frame's type, as it stands on the wire, and its params.
func decode(data []byte) (in inbound, kind string, params *fields, err error) {
	if err := json.Unmarshal(data, &in); err != nil {
		return in, "", nil, err
	}
	if in.Msg != nil {
		return in, string(in.Msg.Type), &in.Msg.Params, nil
	}
	return in, string(in.Type), &in.Params, nil
}

type object = map[string]any

// request encodes a frame; an id of 0 is left out.
func request(kind, id int, params object) []byte {
	frame := object{"type": kind, "params": params}
	if id > 0 {
		frame["id"] = id
	}
	data, err := json.Marshal(frame)
	if err != nil {
		panic(err) // strings and numbers always encode
	}
	return data
}

// splitID returns the conversation of a messageId. Clients treat it as opaque but for this test of the server's word:
// the id is the position.
func splitID(id string) (conversation string, seq uint64, ok bool) {
	if len(id) != 32 {
		return "", 0, false
	}
	for _, c := range id[16:] {
		digit := strings.IndexRune("0123456789abcdef", c)
		if digit < 0 {
			return "", 0, false
		}
		seq = seq<<4 | uint64(digit)
	}
	return id[:16], seq, true
}

// positionOf returns the position that an id stands for; none for one that is no id.
func positionOf(id string) history.Position {
	conversation, seq, _ := splitID(id)
	return history.Position{Conversation: conversation, Seq: seq}
}
