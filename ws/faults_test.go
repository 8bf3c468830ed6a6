package ws_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestGateway_BadFrames(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.FrameBytes = 4096 })
	c, other := n.connect("rose", "web"), n.connect("jack", "web")
	for frame, code := range map[string]string{
		`{"type":1,`:                            "bad_json",
		`[1]`:                                   "bad_frame",
		`{"type":99}`:                           "unknown_type",
		`{"type":0,"params":{}}`:                "unknown_type",
		`{"type":1,"params":{"message":"x"}}`:   "missing_field",
		`{"type":1,"params":{"toMessageId":5}}`: "bad_field",
		`{"type":1,"params":{"toMessageId":"nobody","message":"x"}}`: "unknown_user",
		`{"type":1,"type":1}`: "bad_frame",
		"{\"type\":1,\"params\":{\"toMessageId\":\"jack\",\"message\":\"\xff\"}}": "bad_json",
		`{"type":1,"params":{"toMessageId":"jack","message":"\ud800"}}`:           "bad_json",
		`{"type":1e400}`: "bad_field",
		strings.Repeat(`{"a":`, 100) + `1` + strings.Repeat(`}`, 100):           "bad_json",
		`{"type":1,"params":{"message":"` + strings.Repeat("x", 5000) + `"}}`:   "too_large",
		`{"type":7,"params":{"openid":"jack"}}`:                                 "identity_mismatch",
		`{"type":22,"params":{"token":"t"}}`:                                    "forbidden",
		`{"type":30,"params":{"messageId":"00000000000000070000000000000001"}}`: "not_found",
	} {
		c.write(frame)
		require.Equal(t, code, c.expect(500).p.Code, frame)
	}
	require.NoError(t, c.conn.WriteMessage(websocket.BinaryMessage, []byte{1}))
	require.Equal(t, "binary_unsupported", c.expect(500).p.Code)
	c.send("jack", "still here", "m1")
	require.Equal(t, "still here", other.expect(2).p.Message)
}

func TestGateway_Send_NotUTF8(t *testing.T) {
	n := startNode(t, nil)
	n.known("jack", "rose")
	_, err := n.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "\xc4\xe3"})
	require.ErrorIs(t, err, protocol.NewError(protocol.BadField, ""))
}

func TestGateway_HugeFrame(t *testing.T) {
	n := startNode(t, nil)
	c := n.connect("rose", "web")
	_ = c.conn.WriteMessage(websocket.TextMessage, make([]byte, 10<<20))
	code, _ := c.closed()
	require.Equal(t, protocol.CloseTooLarge, code)
}

// What is too long is told with its id, so that whoever waits for an answer gets it.
func TestGateway_LongFrame(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.FrameBytes = 1000 })
	n.known("jack")
	c := n.connect("rose", "web")
	c.write(`{"type":1,"id":"i1","params":{"toMessageId":"jack","fileType":0,"msgid":"m1","message":"` + strings.Repeat("x", 1000) + `"}}`)
	refused := c.expect(500)
	require.Equal(t, []any{"i1", "too_large", "m1"}, []any{refused.ID, refused.p.Code, refused.p.MsgID})
	c.send("jack", "short", "m2")
}

// What cannot be read is told to be too much, too, beyond the limit.
func TestGateway_UnreadableFlood(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.FramesPerSecond, o.FrameBurst = 0.001, 2 })
	c := n.connect("rose", "web")
	for _, code := range []string{"bad_json", "bad_json", "rate_limited"} {
		c.write("{")
		require.Equal(t, code, c.expect(500).p.Code)
	}
	require.NoError(t, c.conn.WriteMessage(websocket.BinaryMessage, []byte("x")))
	require.Equal(t, "rate_limited", c.expect(500).p.Code)
}

func TestGateway_RefusedUpgrades(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.SessionsPerUser = 1; o.DevicesPerUser = 2 })
	status := func(query string, header http.Header) int {
		url := "ws" + strings.TrimPrefix(n.server.URL, "http") + "/ws?user=rose" + query
		conn, response, err := websocket.DefaultDialer.Dial(url, header)
		if err == nil {
			_ = conn.Close()
			return http.StatusSwitchingProtocols
		}
		require.NotNil(t, response, err)
		return response.StatusCode
	}
	require.Equal(t, http.StatusForbidden, status("", http.Header{"Origin": {"https://elsewhere.example"}}))
	require.Equal(t, http.StatusSwitchingProtocols, status("", http.Header{"Origin": {n.server.URL}}))
	require.Equal(t, http.StatusBadRequest, status("&device=a%20b", nil))
	require.Eventually(t, func() bool { // the session of the last connection ends a moment after it
		list, err := n.gateway.Presence(t.Context(), "", []string{"rose"})
		return err == nil && list[0].Status == "offline"
	}, patience, time.Millisecond)
	n.connect("rose", "web")
	require.Equal(t, http.StatusTooManyRequests, status("&device=other", nil))
	response, err := http.Get(n.server.URL + "/ws?user=rose")
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	require.Equal(t, http.StatusUpgradeRequired, response.StatusCode)
	n.gateway.Drain()
	require.Equal(t, http.StatusServiceUnavailable, status("", nil))
}

func TestGateway_Flood(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.FramesPerSecond = 1; o.FrameBurst = 5 })
	n.known("jack")
	rose := n.connect("rose", "web")
	for i := range 10 {
		rose.sendOnly("jack", "x", fmt.Sprintf("m%d", i))
	}
	refused := rose.expect(500)
	require.Equal(t, "rate_limited", refused.p.Code)
	require.True(t, refused.p.Temporary)
	require.NotEmpty(t, refused.p.MsgID)
}

// Frames that no limit counts are read no faster than ten times the limit either: here ten a second after the first twenty.
func TestGateway_FloodIsReadSlowly(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.FramesPerSecond = 1; o.FrameBurst = 2 })
	rose := n.connect("rose", "web")
	began := time.Now()
	for range 220 {
		rose.write(`{"type":11}`)
	}
	for range 220 {
		rose.expect(12)
	}
	require.Greater(t, time.Since(began), 500*time.Millisecond)
}

// A sync that names much counts as much.
func TestGateway_LongSyncsAreReadSlowly(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.FramesPerSecond = 1; o.FrameBurst = 2 })
	rose := n.connect("rose", "web")
	pending := strings.TrimSuffix(strings.Repeat(`"00000000000000070000000000000001",`, 20), ",")
	began := time.Now()
	for range 10 {
		rose.write(`{"type":28,"params":{"pending":[` + pending + `]}}`)
	}
	for range 10 {
		require.Len(t, rose.expect(29).p.Gone, 20)
	}
	require.Greater(t, time.Since(began), 500*time.Millisecond)
}

func TestGateway_NoHeartbeat(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.HeartbeatAfter = 200 * time.Millisecond })
	silent := n.connect("rose", "web")
	silent.conn.SetPingHandler(func(string) error { return nil })
	code, _ := silent.closed()
	require.Equal(t, protocol.CloseNoHeartbeat, code)
}

func TestGateway_Overloaded(t *testing.T) {
	store := wstest.NewMemStore()
	n := startNodeOn(t, store, func(o *ws.Options) { o.CommitQueue = 4; o.InFlight = 1000 })
	n.known("jack")
	rose := n.connect("rose", "web")
	store.DelayCommits(300 * time.Millisecond)
	const total = 100
	for i := range total {
		rose.sendOnly("jack", "x", fmt.Sprintf("m%d", i))
	}
	accepted, refused := 0, 0
	for accepted+refused < total {
		r, err := rose.next()
		require.NoError(t, err)
		switch r.kind() {
		case 0:
			accepted++
		case 500:
			require.Equal(t, "overloaded", r.p.Code)
			refused++
		}
	}
	require.Positive(t, accepted)
	require.Positive(t, refused)
	store.DelayCommits(0)
	jack := n.connect("jack", "web")
	for range accepted {
		jack.ack(jack.expect(2).p.MsgID, "rose")
	}
	rose.send("jack", "the last", "last")
	require.Equal(t, "last", jack.expect(2).p.MsgID, "what was refused as overloaded was delivered all the same")
}

func TestGateway_Renew(t *testing.T) {
	var brief atomic.Bool // the token "brief" has ended
	n := startNode(t, func(o *ws.Options) {
		o.RecheckEvery = 50 * time.Millisecond
		o.Authenticate = func(_ context.Context, token string) (ws.Identity, error) {
			switch token {
			case "down":
				return ws.Identity{}, errors.New("no answer")
			case "ended":
				return ws.Identity{}, ws.ErrInvalidToken
			case "brief":
				if brief.Load() {
					return ws.Identity{}, ws.ErrInvalidToken
				}
				return ws.Identity{OpenID: "rose"}, nil
			case "banned":
				return ws.Identity{}, protocol.NewError(protocol.Forbidden, "the user is banned")
			}
			return ws.Identity{OpenID: token}, nil
		}
	})
	rose, _, err := n.dial("rose", "&token=rose")
	require.NoError(t, err)
	rose.write(`{"type":22,"id":1,"params":{"token":"rose"}}`)
	rose.expect(22)
	rose.write(`{"type":22,"params":{"token":"down"}}`)
	require.Equal(t, "sso_unavailable", rose.expect(500).p.Code)
	rose.write(`{"type":22,"params":{"token":"jack"}}`)
	code, _ := rose.closed()
	require.Equal(t, protocol.CloseTokenEnded, code)

	rechecked, _, err := n.dial("rose", "&token=ended")
	require.NoError(t, err)
	code, _ = rechecked.closed()
	require.Equal(t, protocol.CloseTokenEnded, code)

	banned, _, err := n.dial("rose", "&token=rose")
	require.NoError(t, err)
	banned.write(`{"type":22,"params":{"token":"banned"}}`)
	code, _ = banned.closed()
	require.Equal(t, protocol.CloseForbidden, code)

	late, _, err := n.dial("rose", "") // a session that came without a token is checked once it has one
	require.NoError(t, err)
	late.write(`{"type":22,"params":{"token":"brief"}}`)
	late.expect(22)
	brief.Store(true)
	code, _ = late.closed()
	require.Equal(t, protocol.CloseTokenEnded, code)
}

// A ledger that refused is known to be back although nobody writes.
func TestGateway_LedgerIsBack(t *testing.T) {
	store := wstest.NewMemStore()
	n := startNodeOn(t, store, nil)
	n.known("jack", "rose")
	store.FailCommits(ws.ErrUnavailable)
	_, err := n.gateway.Send(t.Context(), ws.Draft{From: "rose", To: []string{"jack"}, Body: "x"})
	require.NoError(t, err)
	require.Equal(t, "degraded", n.gateway.Health(t.Context()).Status)
	store.FailCommits(nil)
	require.Eventually(t, func() bool { return n.gateway.Health(t.Context()).Status == "ok" }, patience, 10*time.Millisecond)
}

func TestGateway_PanicEndsOneSession(t *testing.T) {
	n := startNode(t, func(o *ws.Options) {
		o.BeforeSend = func(_ context.Context, d *ws.Draft) error {
			if d.Body == "boom" {
				panic("boom")
			}
			return nil
		}
	})
	n.known("jack")
	rose, other := n.connect("rose", "web"), n.connect("rose", "phone")
	rose.sendOnly("jack", "boom", "m1")
	code, _ := rose.closed()
	require.Equal(t, protocol.CloseFault, code)
	other.send("jack", "fine", "m2")
}

func TestGateway_EphemeralDevice(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.EphemeralAfter = time.Millisecond })
	tab := n.connect("rose", "~tab")
	require.NoError(t, tab.conn.Close())
	require.Eventually(t, func() bool {
		devices, err := n.store.Devices(t.Context(), "rose")
		return err == nil && len(devices) == 0
	}, 2*patience, 50*time.Millisecond)
}

// stubborn is a ledger that cannot drop one user's devices, which it is asked to first.
type stubborn struct {
	ws.Store
	user atomic.Pointer[string]
}

func (s *stubborn) Commit(ctx context.Context, ops []ws.Op) error {
	for _, op := range ops {
		drop, ok := op.(*ws.DropDevice)
		if !ok {
			continue
		}
		s.user.CompareAndSwap(nil, &drop.User)
		if drop.User == *s.user.Load() {
			return ws.ErrUnavailable
		}
	}
	return s.Store.Commit(ctx, ops)
}

// IdleDevices lists that one first.
func (s *stubborn) IdleDevices(ctx context.Context, t ws.Millis, limit int) ([]ws.Device, error) {
	devices, err := s.Store.IdleDevices(ctx, t, limit)
	slices.SortStableFunc(devices, func(a, b ws.Device) int {
		if user := s.user.Load(); user != nil && a.User == *user && b.User != *user {
			return -1
		}
		return 0
	})
	return devices, err
}

// One that cannot be dropped, as its user has too many conversations for the time there is, holds up no other, nor what is sent.
func TestGateway_EphemeralDevicesThatCannotGo(t *testing.T) {
	store := &stubborn{Store: wstest.NewMemStore()}
	n := startNodeOn(t, store, func(o *ws.Options) { o.EphemeralAfter, o.ReconcileEvery = 50*time.Millisecond, 10*time.Millisecond })
	require.NoError(t, n.connect("rose", "~tab").conn.Close())
	require.NoError(t, n.connect("jack", "~tab").conn.Close())
	require.Eventually(t, func() bool {
		var left []string
		for _, user := range []string{"rose", "jack"} {
			devices, err := n.store.Devices(t.Context(), user)
			require.NoError(t, err)
			if len(devices) > 0 {
				left = append(left, user)
			}
		}
		stays := store.user.Load()
		return stays != nil && slices.Equal(left, []string{*stays})
	}, patience, 10*time.Millisecond)
	require.Equal(t, "ok", n.gateway.Health(t.Context()).Status)
}

// A device that has a session on another node is in use, whatever its row says.
func TestCluster_EphemeralDevice(t *testing.T) {
	w := newTown(t)
	short := func(o *ws.Options) { reconciling(o); o.EphemeralAfter = 2 * time.Second }
	one, two := w.node(1, short), w.node(2, short)
	rose, tab := one.connect("rose", "web"), two.connect("jack", "~tab")
	w.settled(2, "rose", "jack")
	time.Sleep(5 * time.Second) // more than twice as long as it may be away
	rose.send("jack", "hello", "m1")
	tab.ack(tab.expect(2).p.MsgID, "rose")
	require.Equal(t, "~tab", rose.expect(17).p.Device)

	require.NoError(t, tab.conn.Close())
	w.eventually("it is dropped once it is away", func() bool {
		devices, err := w.store.Devices(t.Context(), "jack")
		return err == nil && len(devices) == 0
	})
}

// What the device of a session acknowledges holds no more once it was dropped: it has to connect again.
func TestGateway_DroppedDevice(t *testing.T) {
	n := startNode(t, nil)
	rose, tab := n.connect("rose", "web"), n.connect("jack", "~tab")
	rose.send("jack", "hello", "m1")
	got := tab.expect(2)
	devices, err := n.store.Devices(t.Context(), "jack")
	require.NoError(t, err)
	require.NoError(t, n.store.Commit(t.Context(), []ws.Op{&ws.DropDevice{User: "jack", Device: "~tab", Epoch: devices[0].Epoch}}))
	tab.ackOnly(got.p.MsgID, "rose")
	code, _ := tab.closed()
	require.Equal(t, protocol.CloseFault, code)
}

// TestGateway_SlowReader holds promise 4: what waits for a client that does not read stays in the ledger.
func TestGateway_SlowReader(t *testing.T) {
	n := startNode(t, func(o *ws.Options) { o.ResendAfter = time.Minute })
	n.known("jack")
	rose, jack := n.connect("rose", "web"), n.connect("jack", "web")
	const total = 20_000
	body := strings.Repeat("x", 1024)
	go func() {
		for i := range total {
			if rose.conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil,
				`{"type":1,"params":{"toMessageId":"jack","message":"%s","msgid":"m%d"}}`, body, i)) != nil {
				return
			}
		}
	}()
	for range total {
		rose.expect(0)
	}
	stalled := heap()
	proved := make(chan error, 1)
	go func() {
		for range total {
			if _, err := rose.next(); err != nil {
				proved <- err
				return
			}
		}
		proved <- nil
	}()
	shown, recorded := 0, 0
	for recorded < total {
		r, err := jack.next()
		require.NoError(t, err)
		switch r.kind() {
		case 2:
			shown++
			require.Equal(t, uint64(shown), r.p.Seq)
			jack.ackOnly(r.p.MsgID, "rose")
		case 16:
			recorded++
		}
	}
	require.Equal(t, total, shown)
	require.NoError(t, <-proved)
	// What the server holds for a reader that stands still is what goes away when it has read everything.
	require.Less(t, int64(stalled)-int64(heap()), int64(8<<20))
}

func heap() uint64 {
	runtime.GC()
	runtime.GC() // what pools keep goes with the second one
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}
