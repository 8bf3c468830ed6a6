package services

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
)

// Requests of RocketMQ's remoting protocol, and the answer that means yes.
const (
	getBrokerConfig = 26
	getTopicRoute   = 105
	getClusterInfo  = 106
	success         = 0
)

// templateTopic is what a producer asks the name server for before it sends to a topic that is not there yet.
const templateTopic = "TBW102"

// maxFrame bounds what an answer may be long; a broker's configuration is some 20 kB.
const maxFrame = 1 << 20

func namesrvReady(ctx context.Context, i Instance) error {
	_, err := remoting(ctx, i.Addr, getClusterInfo, nil)
	return err
}

// brokerReady asks the broker for its name server, and that for the way to the broker: with it a producer can send.
func brokerReady(ctx context.Context, i Instance) error {
	config, err := remoting(ctx, i.Addr, getBrokerConfig, nil)
	if err != nil {
		return err
	}
	settings := properties(config)
	route, err := remoting(ctx, settings["namesrvAddr"], getTopicRoute, map[string]string{"topic": templateTopic})
	if err != nil {
		return fmt.Errorf("ask its name server: %w", err)
	}
	if address := net.JoinHostPort(settings["brokerIP1"], settings["listenPort"]); !strings.Contains(route, `"`+address+`"`) {
		return fmt.Errorf("the name server knows of no broker on %s", address)
	}
	return nil
}

func properties(text string) map[string]string {
	found := make(map[string]string)
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		found[name] = value
	}
	return found
}

// header is a request's or an answer's.
type header struct {
	Code   int               `json:"code"`
	Fields map[string]string `json:"extFields,omitempty"`
	Remark string            `json:"remark,omitempty"`
	Opaque int               `json:"opaque"`
}

// remoting sends one request and returns the answer's body.
func remoting(ctx context.Context, address string, code int, fields map[string]string) (string, error) {
	request, err := encode(header{Code: code, Fields: fields}, nil)
	if err != nil {
		return "", err
	}
	return exchange(ctx, address, request)
}

// encode writes a frame: the length of what follows, the header's length with its encoding in the top byte (0 is JSON),
// the header, the body.
func encode(h header, body []byte) ([]byte, error) {
	head, err := json.Marshal(h)
	if err != nil {
		return nil, err
	}
	frame := binary.BigEndian.AppendUint32(nil, uint32(4+len(head)+len(body)))
	frame = binary.BigEndian.AppendUint32(frame, uint32(len(head)))
	return slices.Concat(frame, head, body), nil
}

func exchange(ctx context.Context, address string, request []byte) (string, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", address)
	if err != nil {
		return "", err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
	if _, err := conn.Write(request); err != nil {
		return "", err
	}
	return readAnswer(conn)
}

func readAnswer(conn io.Reader) (string, error) {
	var length uint32
	if err := binary.Read(conn, binary.BigEndian, &length); err != nil {
		return "", err
	}
	if length < 4 || length > maxFrame {
		return "", fmt.Errorf("an answer of %d bytes is none of RocketMQ's", length)
	}
	frame := make([]byte, length)
	if _, err := io.ReadFull(conn, frame); err != nil {
		return "", err
	}
	size := binary.BigEndian.Uint32(frame) & 0xffffff
	if size > length-4 {
		return "", errors.New("an answer's header is longer than the answer")
	}
	var answer header
	if err := json.Unmarshal(frame[4:4+size], &answer); err != nil {
		return "", fmt.Errorf("read an answer's header: %w", err)
	}
	if answer.Code != success {
		return "", fmt.Errorf("it answers %d: %s", answer.Code, answer.Remark)
	}
	return string(frame[4+size:]), nil
}
