package handlers_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/gorilla/websocket"
	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/docs"
	"github.com/yanlink/yanlink/handlers"
	"github.com/yanlink/yanlink/ws"
)

func TestConnect_SaysWhoAndHow(t *testing.T) {
	d := openDoor(t, nil)
	for name, c := range map[string]struct {
		query     url.Values
		protocols []string
		v1        bool
		device    string
	}{
		"ByQuery":    {url.Values{"v": {"1"}, "device": {"phone"}}, nil, true, "phone"},
		"ByProtocol": {nil, []string{"other", "yanlink.v1", "yanlink.token.YW5u"}, true, "default"},
		"OldClient":  {url.Values{"v": {"17"}}, nil, false, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, resp := d.dial("ann", c.query, c.protocols...)
			require.NotNil(t, s, resp)
			require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
			if !c.v1 {
				s.write(map[string]any{"type": 11})
				require.NoError(t, s.conn.SetReadDeadline(deadline()))
				_, first, err := s.conn.ReadMessage()
				require.NoError(t, err)
				require.Contains(t, string(first), `"type":12`, "an old client gets no hello")
				return
			}
			hello := s.expect(33)
			require.Equal(t, "ann", hello["openid"])
			require.Equal(t, c.device, hello["device"])
			if c.protocols != nil {
				require.Equal(t, "yanlink.v1", s.conn.Subprotocol(), "only this one is echoed")
			}
		})
	}
}

// Whoever names no device gets the one that the description promises.
func TestConnect_DescribedDevice(t *testing.T) {
	var document struct {
		Paths map[string]struct {
			Get struct {
				Parameters []struct {
					Name   string
					Schema struct{ Default string }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(docs.OpenAPI(), &document))
	d := openDoor(t, nil)
	for _, path := range []string{"/ws", "/ws/"} {
		described := ""
		for _, parameter := range document.Paths[path].Get.Parameters {
			if parameter.Name == "device" {
				described = parameter.Schema.Default
			}
		}
		s, resp := d.dial("ann", url.Values{"v": {"1"}})
		require.NotNil(t, s, resp)
		require.Equal(t, s.expect(33)["device"], described, path)
	}
}

func TestConnect_NoUpgrade(t *testing.T) {
	d := openDoor(t, nil)
	for _, who := range []string{"ann", ""} {
		a := d.get(who, "/ws")
		a.refused(t, 426, "upgrade_required", "")
		require.Equal(t, "websocket", a.header.Get("Upgrade"))
		require.Contains(t, a.text, "WebSocket client")
		require.Equal(t, "no-store", a.header.Get("Cache-Control"))
		d.get(who, "/ws/").refused(t, 426, "upgrade_required", "")
	}
}

func TestConnect_Refused(t *testing.T) {
	d := openDoor(t, func(o *ws.Options) { o.SessionsPerUser = 1 })
	for name, c := range map[string]struct {
		who    string
		query  url.Values
		status int
		code   string
	}{
		"NoToken":    {"", nil, 401, "unauthorized"},
		"ServiceKey": {"key-admin", nil, 403, "forbidden"},
		"BadDevice":  {"ann", url.Values{"device": {"a b"}}, 400, "bad_field"},
		"Storm":      {"", url.Values{"storm": {"1"}}, 429, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s, resp := d.dial(c.who, c.query)
			require.Nil(t, s)
			require.Equal(t, c.status, resp.StatusCode)
			text, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			require.Contains(t, string(text), c.code)
		})
	}
	d.connect("ben", "web")
	_, resp := d.dial("ben", url.Values{"device": {"phone"}})
	require.Equal(t, http.StatusTooManyRequests, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
}

func TestConnect_Origin(t *testing.T) {
	d := openDoor(t, nil)
	a := d.call("ann", http.MethodGet, "/ws", "", "Connection", "Upgrade", "Upgrade", "websocket", "Sec-WebSocket-Version", "13",
		"Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==", "Origin", "https://elsewhere.example")
	a.refused(t, 403, "forbidden", "")
}

func TestConnect_BadHandshakeIsAnsweredOnce(t *testing.T) {
	d := openDoor(t, nil)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, d.server.URL+"/ws", http.NoBody)
	require.NoError(t, err)
	for name, value := range map[string]string{"Authorization": "Bearer ann", "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "7"} {
		req.Header.Set(name, value)
	}
	resp, err := d.server.Client().Do(req)
	require.NoError(t, err)
	defer func() { require.NoError(t, resp.Body.Close()) }()
	text, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusBadRequest, resp.StatusCode)
	require.NotContains(t, string(text), "error\"")
}

func TestConnect_Draining(t *testing.T) {
	d := openDoor(t, nil)
	d.gateway.Drain()
	_, resp := d.dial("ann", nil)
	require.Equal(t, http.StatusServiceUnavailable, resp.StatusCode)
	require.NotEmpty(t, resp.Header.Get("Retry-After"))
}

func TestConnect_IsLoggedAs101(t *testing.T) {
	d := openDoor(t, nil)
	seen := make(chan int, 1)
	router := gin.New()
	router.Use(func(c *gin.Context) {
		c.Next()
		seen <- c.Writer.Status()
	})
	handlers.New(d.gateway, handlers.Options{}).Mount(router, authenticate, d.counts)
	d.server.Config.Handler = router
	s, _ := d.dial("ann", nil)
	require.NotNil(t, s)
	require.Equal(t, http.StatusSwitchingProtocols, <-seen)
}

func TestConnect_TokenIsCheckedAgain(t *testing.T) {
	asked := make(chan string, 1)
	d := openDoor(t, func(o *ws.Options) {
		o.RecheckEvery = 1
		o.Authenticate = func(_ context.Context, token string) (ws.Identity, error) {
			asked <- token
			return ws.Identity{}, ws.ErrInvalidToken
		}
	})
	s, resp := d.dial("ann", nil)
	require.NotNil(t, s, resp)
	select {
	case token := <-asked:
		require.Equal(t, "ann", token)
	case <-time.After(patience):
		require.Fail(t, "the handler did not give the token to the session")
	}
	require.NoError(t, s.conn.SetReadDeadline(deadline()))
	_, _, err := s.conn.ReadMessage()
	require.True(t, websocket.IsCloseError(err, 4401), "%v", err)
}
