package modeltest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/gorilla/websocket"
)

// place is a position: what a client tells frames apart by.
type place struct {
	conversation string
	seq          uint64
}

// client is one device of a user, as protocol.md wants a client to be: it shows what it has not shown yet, in the order
// in which it comes, and remembers that for ever.
type client struct {
	user, device string
	v1           bool
	conn         *conn // nil while not connected

	seen  map[place]bool
	last  map[string]uint64 // by conversation: the last one shown
	high  map[string]uint64 // by conversation: shown, or claimed to be by a mark
	shown []place
}

func newClient(user, device string, v1 bool) *client {
	return &client{
		user: user, device: device, v1: v1,
		seen: map[place]bool{}, last: map[string]uint64{}, high: map[string]uint64{},
	}
}

func (c *client) String() string { return c.user + "/" + c.device }

// show takes a record in, and reports whether it was new.
func (c *client) show(p place) (fresh bool, err error) {
	if c.seen[p] {
		return false, nil
	}
	if p.seq <= c.last[p.conversation] {
		err = fmt.Errorf("%s was shown %v after %d: out of order", c, p, c.last[p.conversation])
	}
	c.seen[p] = true
	c.last[p.conversation] = p.seq
	c.high[p.conversation] = max(c.high[p.conversation], p.seq)
	c.shown = append(c.shown, p)
	return true, err
}

// conn is one connection of a client, and what the model knows of it.
type conn struct {
	client *client
	ws     *websocket.Conn
	pipe   *pipe
	hello  *frame
	opened time.Time

	mute    atomic.Bool
	mu      sync.Mutex
	inbox   []*frame
	ended   bool
	endedAt time.Time
	code    int // of the close frame; 1006 without one
	reason  string
	done    chan struct{}

	*session
}

// dial opens a connection. status is that of a refusal.
func (c *client) dial(n *node) (*conn, int, error) {
	var p *pipe
	dialer := websocket.Dialer{
		HandshakeTimeout: 5 * time.Second,
		NetDialContext: func(context.Context, string, string) (net.Conn, error) {
			var err error
			p, err = n.dial()
			return p, err
		},
	}
	url := "ws://node/ws?user=" + c.user + "&device=" + c.device
	if c.v1 {
		url += "&v=1"
	}
	socket, response, err := dialer.Dial(url, http.Header{})
	if err != nil {
		if response != nil {
			return nil, response.StatusCode, err
		}
		return nil, 0, err
	}
	_ = response.Body.Close()
	k := &conn{client: c, ws: socket, pipe: p, opened: time.Now(), done: make(chan struct{}), session: newSession()}
	pong := socket.PingHandler()
	socket.SetPingHandler(func(data string) error {
		if k.mute.Load() {
			return nil
		}
		return pong(data)
	})
	go k.read()
	return k, 0, nil
}

func (k *conn) read() {
	defer close(k.done)
	for {
		_, data, err := k.ws.ReadMessage()
		if err != nil {
			k.end(err)
			return
		}
		f := &frame{raw: string(data), came: time.Now()}
		if err := json.Unmarshal(data, f); err != nil {
			f.broken = err
		}
		k.mu.Lock()
		k.inbox = append(k.inbox, f)
		k.mu.Unlock()
	}
}

func (k *conn) end(err error) {
	_ = k.ws.Close()
	k.mu.Lock()
	defer k.mu.Unlock()
	k.ended, k.endedAt, k.code = true, time.Now(), websocket.CloseAbnormalClosure
	var closed *websocket.CloseError
	if errors.As(err, &closed) {
		k.code, k.reason = closed.Code, closed.Text
	}
}

// take returns the frames that came since the last call, and whether the connection has ended.
func (k *conn) take() ([]*frame, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	frames := k.inbox
	k.inbox = nil
	return frames, k.ended
}

// write sends a frame; one that cannot be sent is lost, as it is on a broken network.
func (k *conn) write(kind int, id string, params map[string]any) {
	data, err := json.Marshal(map[string]any{"type": kind, "id": id, "params": params})
	if err != nil {
		panic(err)
	}
	_ = k.ws.SetWriteDeadline(time.Now().Add(5 * time.Second))
	_ = k.ws.WriteMessage(websocket.TextMessage, data)
}

// frame is any frame of the server.
type frame struct {
	Type      any    `json:"type"`
	ID        string `json:"id"`
	Status    int    `json:"status"`
	Params    params `json:"params"`
	MessageID string `json:"messageId"`
	SessionID string `json:"sessionId"`
	Msg       *struct {
		Type   int    `json:"type"`
		Params params `json:"params"`
	} `json:"msg"`
	To []string `json:"to"`

	raw    string
	came   time.Time
	broken error
}

// params are the parameters of all frames together.
type params struct {
	Message        string    `json:"message"`
	FileType       string    `json:"fileType"`
	MsgID          string    `json:"msgid"`
	MessageID      string    `json:"messageId"`
	ConversationID string    `json:"conversationId"`
	Seq            uint64    `json:"seq"`
	PrevSeq        uint64    `json:"prevSeq"`
	UpTo           uint64    `json:"upTo"`
	Duplicate      bool      `json:"duplicate"`
	Redelivered    bool      `json:"redelivered"`
	Code           string    `json:"code"`
	ToUser         anyPerson `json:"toUser"`
	FromUser       anyPerson `json:"fromUser"`
	Device         string    `json:"device"`
	OpenID         string    `json:"openid"`
	NewDevice      bool      `json:"newDevice"`
	SessionID      string    `json:"sessionId"`
	Waiting        []string  `json:"waiting"`
	Gone           []string  `json:"gone"`
	Proofs         int       `json:"proofs"`
	Marks          int       `json:"marks"`
	Reset          bool      `json:"reset"`
	Recalled       string    `json:"recalled"`
	By             string    `json:"by"`
	Errors         []struct {
		ConversationID string `json:"conversationId"`
		Code           string `json:"code"`
	} `json:"errors"`
}

// anyPerson is a user as an openid or as the object around one.
type anyPerson string

func (p *anyPerson) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '"' {
		return json.Unmarshal(data, (*string)(p))
	}
	var object struct {
		OpenID string `json:"openid"`
	}
	err := json.Unmarshal(data, &object)
	*p = anyPerson(object.OpenID)
	return err
}

// kind returns the frame's type, of the envelope's msg where there is one.
func (f *frame) kind() int {
	if f.Msg != nil {
		return f.Msg.Type
	}
	if n, ok := f.Type.(float64); ok {
		return int(n)
	}
	return -1
}

func (f *frame) params() *params {
	if f.Msg != nil {
		return &f.Msg.Params
	}
	return &f.Params
}
