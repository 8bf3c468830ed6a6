//go:build services

package failures

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
)

// person is a client on one connection. What it is shown is acknowledged at once unless it is told to keep silent.
type person struct {
	w    *town
	name string
	conn *websocket.Conn
	over chan struct{} // closed when the connection has ended and code is set
	code int

	writing sync.Mutex

	mu      sync.Mutex
	answers map[string]answer // by msgid
	shown   []record
	seen    map[string]bool // positions
	silent  bool
	acked   map[string]bool // msgids with a 16
	proved  map[string]bool // messageIds with a 17
	states  []state         // presence, read marks, signals
	epoch   uint64          // what hello said
}

// answer is a 0 or a 500.
type answer struct {
	frame
	at time.Time
}

// record is a message shown for the first time.
type record struct {
	frame
	at time.Time
}

// frame holds the fields of all frames that the tests look at.
type frame struct {
	Message        string `json:"message"`
	MsgID          string `json:"msgid"`
	MessageID      string `json:"messageId"`
	ConversationID string `json:"conversationId"`
	Seq            uint64 `json:"seq"`
	Duplicate      bool   `json:"duplicate"`
	Code           string `json:"code"`
	Temporary      bool   `json:"temporary"`
	Epoch          uint64 `json:"epoch"`

	FromUser json.RawMessage `json:"fromUser"`

	OpenID  string   `json:"openid"`
	User    string   `json:"user"`
	Status  string   `json:"status"`
	Signal  string   `json:"signal"`
	Devices []string `json:"devices"`
	Users   []frame  `json:"users"`
}

// connect opens a session on a node.
func (w *town) connect(node *child.Server, user, device string) *person {
	w.Helper()
	p, status := w.dial(node, user, device)
	require.NotNil(w, p, "%s cannot connect: %d", user, status)
	return p
}

// dial opens a session, or returns the status with which it was refused.
func (w *town) dial(node *child.Server, user, device string) (*person, int) {
	w.Helper()
	query := url.Values{"token": {w.sso.Token(user)}, "device": {device}, "v": {"1"}}
	dialer := websocket.Dialer{HandshakeTimeout: patience}
	conn, resp, err := dialer.DialContext(w.Context(), "ws"+strings.TrimPrefix(node.URL(), "http")+"/ws?"+query.Encode(), nil)
	if errors.Is(err, websocket.ErrBadHandshake) {
		return nil, resp.StatusCode
	}
	require.NoError(w, err)
	p := &person{
		w: w, name: user, conn: conn, over: make(chan struct{}), answers: map[string]answer{}, seen: map[string]bool{},
		acked: map[string]bool{}, proved: map[string]bool{},
	}
	go p.read()
	w.Cleanup(p.leave)
	return p, http.StatusSwitchingProtocols
}

// leave ends the connection without a word.
func (p *person) leave() {
	_ = p.conn.NetConn().Close()
	<-p.over
}

func (p *person) read() {
	defer close(p.over)
	for {
		_, data, err := p.conn.ReadMessage()
		if err != nil {
			p.code = websocket.CloseAbnormalClosure
			if closed := (*websocket.CloseError)(nil); errors.As(err, &closed) {
				p.code = closed.Code
			}
			return
		}
		p.take(data)
	}
}

// take handles a frame: a reply, or an envelope around a record.
func (p *person) take(data []byte) {
	var in struct {
		Type   json.RawMessage `json:"type"`
		Params frame           `json:"params"`
		Msg    *struct {
			Type   json.RawMessage `json:"type"`
			Params frame           `json:"params"`
		} `json:"msg"`
		MessageID string `json:"messageId"`
	}
	if err := json.Unmarshal(data, &in); err != nil {
		p.w.Errorf("%s got what is no frame: %v", p.name, err)
		return
	}
	kind, f := string(in.Type), in.Params
	if in.Msg != nil {
		kind, f = string(in.Msg.Type), in.Msg.Params
		f.MessageID = in.MessageID
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch kind {
	case "0", "500":
		p.answers[f.MsgID] = answer{f, time.Now()}
	case "2":
		p.show(f)
	case "16":
		p.acked[f.Message] = true
	case "17":
		p.proved[f.MessageID] = true
	case "23", "24", "26", "27":
		p.states = append(p.states, state{kind, f, time.Now()})
	case "33":
		p.epoch = f.Epoch
	}
}

// show notes a message unless its position was shown, and acknowledges it either way.
func (p *person) show(f frame) {
	if !p.seen[f.MessageID] {
		p.seen[f.MessageID] = true
		p.shown = append(p.shown, record{f, time.Now()})
	}
	if !p.silent {
		go p.acknowledge(f)
	}
}

func (p *person) acknowledge(f frame) {
	var from struct {
		OpenID string `json:"openid"`
	}
	_ = json.Unmarshal(f.FromUser, &from)
	p.write(15, map[string]any{"from": "client", "msgid": f.MessageID, "fromUser": from.OpenID, "toUser": p.name})
}

// acknowledgeAll acknowledges whatever was shown, once more.
func (p *person) acknowledgeAll() {
	p.mu.Lock()
	shown := slices.Clone(p.shown)
	p.mu.Unlock()
	for i := range shown {
		p.acknowledge(shown[i].frame)
	}
}

// write sends a frame; what a dead connection swallows is for the test to miss.
func (p *person) write(kind int, params map[string]any) {
	p.writing.Lock()
	defer p.writing.Unlock()
	_ = p.conn.WriteJSON(map[string]any{"type": kind, "params": params})
}

// send sends one message and returns its 0 or 500.
func (p *person) send(to, msgid string) answer {
	p.w.Helper()
	p.mu.Lock()
	delete(p.answers, msgid)
	p.mu.Unlock()
	p.write(1, map[string]any{"toMessageId": to, "message": "text of " + msgid, "fileType": 0, "msgid": msgid})
	var a answer
	p.w.eventually(p.name+" gets an answer for "+msgid, func() (ok bool) {
		a, ok = p.answered(msgid)
		return ok
	})
	return a
}

// answered returns the 0 or 500 that a message got, if it did.
func (p *person) answered(msgid string) (a answer, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	a, ok = p.answers[msgid]
	return a, ok
}

// must sends one message again and again, as clients do, until it is accepted.
func (p *person) must(to, msgid string) answer {
	p.w.Helper()
	for deadline := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		a := p.send(to, msgid)
		if a.Code == "" {
			return a
		}
		require.True(p.w, a.Temporary, "%s: %s", msgid, a.Code)
		require.True(p.w, time.Now().Before(deadline), "%s is refused for ever: %s", msgid, a.Code)
	}
}

// list returns the msgids that were shown so far, in order.
func (p *person) list() (msgids []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.shown {
		msgids = append(msgids, p.shown[i].MsgID)
	}
	return msgids
}

// shownFirst returns the first message that was shown.
func (p *person) shownFirst() frame {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.shown[0].frame
}

// shownAt returns when each message was shown, by msgid.
func (p *person) shownAt() map[string]time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	at := make(map[string]time.Time, len(p.shown))
	for i := range p.shown {
		at[p.shown[i].MsgID] = p.shown[i].at
	}
	return at
}

// shows waits until exactly these messages were shown, in this order.
func (p *person) shows(msgids ...string) {
	p.w.Helper()
	p.w.eventually(p.name+" is shown everything", func() bool { return len(p.list()) >= len(msgids) })
	require.Equal(p.w, msgids, p.list())
}

// keepSilent stops, or takes up, acknowledging by itself.
func (p *person) keepSilent(silent bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.silent = silent
}

// alive reports whether the connection stands.
func (p *person) alive() bool {
	select {
	case <-p.over:
		return false
	default:
		return true
	}
}

func (p *person) wasProved(messageID string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.proved[messageID]
}

func (p *person) wasAcked(messageID string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.acked[messageID]
}

// proofs lists the messages that are known to have been acknowledged.
func (p *person) proofs() (messageIDs []string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Keys(p.proved))
}

// ledgerEpoch returns what the hello said.
func (p *person) ledgerEpoch() (epoch uint64) {
	p.w.Helper()
	p.w.eventually("the hello has come", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		epoch = p.epoch
		return epoch > 0
	})
	return epoch
}
