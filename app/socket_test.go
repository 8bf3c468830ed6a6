package app_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"
)

// socket is a session of somebody, which is read all the time, as by any client.
type socket struct {
	*scene
	who     string
	conn    *websocket.Conn
	session string              // its id
	frames  chan map[string]any // ends with the session
	kept    []map[string]any
	code    int // of the end; there when frames has ended
}

// connect opens a session at a node; it ends with the test.
func (s *scene) connect(who, node, device string) *socket {
	s.Helper()
	k, a := s.handshake(who, node, "/ws?v=1&device="+device)
	require.NotNil(s, k, a.text)
	s.settles(who, node, device)
	return k
}

// settles waits until a session at a node is known at the other: its greeting does not wait for that.
func (s *scene) settles(who, node, device string) {
	s.Helper()
	other := s.far
	if node == s.far {
		other = s.near
	}
	s.since(time.Now(), func() bool {
		devices, _ := s.items("key-admin", other, "/api/v1/presence?users="+url.QueryEscape(s.id(who)))[0]["devices"].([]any)
		return slices.Contains(devices, any(device))
	})
}

// handshake tries to open a session.
func (s *scene) handshake(who, node, path string) (*socket, answer) {
	s.Helper()
	token, pairs := s.credentials(who)
	header := http.Header{}
	for i := 0; i+1 < len(pairs); i += 2 {
		header.Set(pairs[i], pairs[i+1])
	}
	if token != "" {
		header.Set("Authorization", "Bearer "+token)
	}
	s.began = time.Now()
	conn, response, err := websocket.DefaultDialer.Dial("ws"+strings.TrimPrefix(node, "http")+path, header)
	require.NotNil(s, response, err)
	text, readErr := io.ReadAll(response.Body)
	require.NoError(s, readErr)
	a := s.answerOf(response, string(text))
	if err != nil {
		return nil, a
	}
	k := &socket{scene: s, who: who, conn: conn, frames: make(chan map[string]any, 1024)}
	go k.read()
	s.Cleanup(func() { k.leave() })
	hello := k.expect(33)
	require.Equal(s, s.id(who), hello["openid"])
	k.session = hello["sessionId"].(string)
	return k, a
}

func (k *socket) read() {
	defer close(k.frames)
	for {
		var frame map[string]any
		if err := k.conn.ReadJSON(&frame); err != nil {
			end := &websocket.CloseError{}
			errors.As(err, &end)
			k.code = end.Code
			return
		}
		if inner, ok := frame["msg"].(map[string]any); ok {
			frame = inner
		}
		k.frames <- frame
	}
}

// leave ends the session as a client does that is gone.
func (k *socket) leave() {
	_ = k.conn.Close()
	for range k.frames {
	}
}

func (k *socket) write(frame string) {
	k.Helper()
	var sent struct{ Type any }
	if json.Unmarshal([]byte(frame), &sent) == nil {
		k.scene.frames[fmt.Sprint(sent.Type)] = true
	}
	require.NoError(k, k.conn.WriteMessage(websocket.TextMessage, []byte(frame)))
}

// expect returns the params of the next frame of a type. Others are kept for who expects them.
func (k *socket) expect(kind int) map[string]any {
	k.Helper()
	of := func(frame map[string]any) bool { return frame["type"] == float64(kind) }
	if i := slices.IndexFunc(k.kept, of); i >= 0 {
		frame := k.kept[i]
		k.kept = slices.Delete(k.kept, i, i+1)
		k.scene.frames[fmt.Sprint(kind)] = true
		return params(frame)
	}
	for end := time.After(patience); ; {
		select {
		case frame, open := <-k.frames:
			require.True(k, open, "%s waits for %d, and was closed with %d", k.who, kind, k.code)
			if of(frame) {
				k.scene.frames[fmt.Sprint(kind)] = true
				return params(frame)
			}
			require.NotEqual(k, 500.0, frame["type"], "%s waits for %d: %v", k.who, kind, frame)
			k.kept = append(k.kept, frame)
		case <-end:
			require.Fail(k, "nothing comes", "%s waits for %d", k.who, kind)
		}
	}
}

// takes expects a message, acknowledges it, and waits until that is recorded.
func (k *socket) takes(from, message string) map[string]any {
	k.Helper()
	got := k.expect(2)
	require.Equal(k, message, got["message"])
	require.Equal(k, from, got["fromUser"].(map[string]any)["openid"])
	k.acknowledge(got)
	return got
}

func (k *socket) acknowledge(message map[string]any) {
	k.Helper()
	k.write(jsonOf(map[string]any{"type": 15, "params": map[string]any{
		"from": "client", "msgid": message["msgid"], "fromUser": message["fromUser"].(map[string]any)["openid"], "toUser": k.id(k.who),
	}}))
	require.Equal(k, message["msgid"], k.expect(16)["message"])
}

// alive expects that the session is still there.
func (k *socket) alive() {
	k.Helper()
	k.write(`{"type":11}`)
	k.expect(12)
}
