package rocketbus

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // what RocketMQ signs with
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"time"
)

// Codes of the remoting protocol that this package asks with.
const (
	askCreateTopic = 17
	askMaxOffset   = 30
	askRoute       = 105
	askCluster     = 106
	askCreateGroup = 200
	askAllTopics   = 206
	askDeleteGroup = 207
	askDeleteTopic = 215 // of a broker
	askDeleteRoute = 216 // of a name server
)

const (
	answerOK      = 0
	answerNoTopic = 17

	maxAnswer = 16 << 20 // bytes; the list of all topics of a big cluster
)

// errNoTopic says that a name server knows no broker with a topic.
var errNoTopic = errors.New("the topic does not exist")

// remoting asks name servers and brokers what the client library has no way to ask, or asks without a deadline, a
// signature, or a look at the answer. Each request has a connection of its own, since there are few.
type remoting struct {
	accessKey, secretKey string
}

// request is one question.
type request struct {
	code   int
	fields map[string]string
	body   []byte
}

// header goes before the body of a frame, as JSON, in both directions.
type header struct {
	Code      int               `json:"code"`
	Language  string            `json:"language"`
	Version   int               `json:"version"`
	Opaque    int               `json:"opaque"`
	Flag      int               `json:"flag"`
	Remark    string            `json:"remark"`
	ExtFields map[string]string `json:"extFields"`
}

// ask sends a request to addr and returns the answer's body. An answer other than OK is an error.
func (r *remoting) ask(ctx context.Context, addr string, req request, timeout time.Duration) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Now()) })()
	answer, body, err := exchange(conn, r.sign(req))
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, fmt.Errorf("%s does not answer: %w", addr, ctx.Err())
	case err != nil:
		return nil, fmt.Errorf("%s: %w", addr, err)
	case answer.Code == answerNoTopic:
		return nil, errNoTopic
	case answer.Code != answerOK:
		return nil, fmt.Errorf("%s answers with code %d: %.200s", addr, answer.Code, answer.Remark)
	}
	return body, nil
}

func exchange(conn net.Conn, req request) (answer header, body []byte, err error) {
	frame, err := encode(req)
	if err != nil {
		return header{}, nil, err
	}
	if _, err = conn.Write(frame); err != nil {
		return header{}, nil, err
	}
	return decode(conn)
}

// encode returns the frame of a request: length of what follows, length of the header, header, body.
func encode(req request) ([]byte, error) {
	// A version from 4.9.4 on makes a name server write keys of JSON in quotes.
	head, err := json.Marshal(header{Code: req.code, Language: "GO", Version: 453, ExtFields: req.fields})
	if err != nil {
		return nil, err
	}
	frame := make([]byte, 0, 8+len(head)+len(req.body))
	frame = binary.BigEndian.AppendUint32(frame, uint32(4+len(head)+len(req.body))) //nolint:gosec // small
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(head)))                 //nolint:gosec // small
	frame = append(frame, head...)
	return append(frame, req.body...), nil
}

func decode(r io.Reader) (header, []byte, error) {
	var lengths [8]byte
	if _, err := io.ReadFull(r, lengths[:]); err != nil {
		return header{}, nil, err
	}
	all := binary.BigEndian.Uint32(lengths[:4])
	head := binary.BigEndian.Uint32(lengths[4:])
	if head>>24 != 0 || all < 4 || all > maxAnswer || head > all-4 {
		return header{}, nil, errors.New("this is no RocketMQ answer")
	}
	rest := make([]byte, all-4)
	if _, err := io.ReadFull(r, rest); err != nil {
		return header{}, nil, err
	}
	var answer header
	if err := json.Unmarshal(rest[:head], &answer); err != nil {
		return header{}, nil, fmt.Errorf("this is no RocketMQ answer: %w", err)
	}
	return answer, rest[head:], nil
}

// sign adds to a request whose it is, if there is a key: a hash of the fields' values in the order of their names, and
// of the body.
func (r *remoting) sign(req request) request {
	if r.accessKey == "" {
		return req
	}
	fields := maps.Clone(req.fields)
	if fields == nil {
		fields = make(map[string]string)
	}
	fields["AccessKey"] = r.accessKey
	var signed bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		signed.WriteString(fields[name])
	}
	signed.Write(req.body)
	mac := hmac.New(sha1.New, []byte(r.secretKey))
	mac.Write(signed.Bytes())
	fields["Signature"] = base64.StdEncoding.EncodeToString(mac.Sum(nil))
	req.fields = fields
	return req
}
