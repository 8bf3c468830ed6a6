//go:build services

package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
	"github.com/yanlink/yanlink/deploy/services"
)

// pair is two nodes of a real cluster: the ledger in MariaDB, routes in Redis, doorbells over RocketMQ.
type pair struct {
	*testing.T
	one, two *host
}

func newPair(t *testing.T) *pair {
	t.Helper()
	cluster := newCluster(t, services.MariaDB, startNamesrv(t))
	node := func(n int) *host {
		cfg := cluster.config()
		cfg.Auth = peopleConfig(t).Auth
		cfg.Node = configs.Node{ID: fmt.Sprintf("n%d", n), Advertise: fmt.Sprintf("127.0.0.1:%d", 1000+n)}
		return newHost(t, cfg, app.WithAuthenticator(&users{}))
	}
	p := &pair{T: t, one: node(1), two: node(2)}
	for _, h := range []*host{p.one, p.two} {
		require.Eventually(t, func() bool { return h.bundle.Health(t.Context()).Status == "ok" }, time.Minute, 20*time.Millisecond)
	}
	return p
}

// cluster is what the nodes of a real cluster share: a database, a Redis of its own, and a RocketMQ.
type cluster struct {
	t              *testing.T
	driver, dsn    string
	redis, namesrv *services.Server
}

// startNamesrv starts a RocketMQ, which clusters can share, and returns its name server.
func startNamesrv(t *testing.T) *services.Server {
	t.Helper()
	namesrv := services.MustStart(t, services.Spec{Kind: services.Namesrv})
	services.MustStart(t, services.Spec{Kind: services.Broker, Namesrv: namesrv.Addr})
	return namesrv
}

func newCluster(t *testing.T, database services.Kind, namesrv *services.Server) *cluster {
	t.Helper()
	server := services.Shared(t, database)
	return &cluster{
		t: t, driver: map[services.Kind]string{services.MariaDB: "mysql", services.Postgres: "postgres"}[database],
		dsn: server.DSN(server.NewDatabase(t)), redis: services.MustStart(t, services.Spec{Kind: services.Redis}), namesrv: namesrv,
	}
}

// config is that of a node which joins the cluster.
func (c *cluster) config() *configs.Config {
	cfg := testConfig(c.t)
	cfg.Store.Driver, cfg.Store.DSN, cfg.Store.AllowUnsafe = c.driver, c.dsn, true
	cfg.Registry.Driver, cfg.Registry.Redis.Addrs = "redis", []string{c.redis.Addr}
	cfg.Bus.Driver, cfg.Bus.RocketMQ.NameServers = "rocketmq", []string{c.namesrv.Addr}
	return cfg
}

// decoded makes a call with the service key that has to succeed and returns its answer.
func (p *pair) decoded(method, url, body string) map[string]any {
	p.Helper()
	status, text := support(p.T, method, url, body)
	require.Equal(p, 200, status, text)
	var answer map[string]any
	require.NoError(p, json.Unmarshal([]byte(text), &answer))
	return answer
}

// sees waits until a node lists so many sessions of somebody.
func (p *pair) sees(h *host, user string, count int) (items []any) {
	p.Helper()
	require.Eventually(p, func() bool {
		items = p.decoded(http.MethodGet, h.base+"/api/v1/sessions?user="+user, "")["items"].([]any)
		return len(items) == count
	}, patience, 20*time.Millisecond)
	return items
}

// TestCluster is what has to hold between two real nodes; the parts follow each other.
func TestCluster(t *testing.T) {
	p := newPair(t)
	t.Run("Scheduled", p.scheduled)
	t.Run("EndSession", p.endSession)
	t.Run("Revoke", p.revoke)
	t.Run("Ban", p.ban)
}

// scheduled: whatever node a delayed message was given to, one of them sends it, once.
func (p *pair) scheduled(t *testing.T) {
	const count = 40
	for _, user := range []string{"ann", "ben"} {
		p.decoded(http.MethodPut, p.one.base+"/api/v1/users/"+user, `{"userName":"`+user+`"}`)
	}
	ben := dial(t, p.two.base, "ben&device=web")
	began := time.Now()
	for i := range count {
		node := []*host{p.one, p.two}[i%2]
		answer := p.decoded(http.MethodPost, node.base+"/api/v1/messages", fmt.Sprintf(`{"from":"ann","to":"ben","message":"%d","msgid":"m%d","delaySeconds":1}`, i, i))
		require.Equal(t, "scheduled", answer["results"].([]any)[0].(map[string]any)["status"])
	}
	seen := make(map[any]any)
	for len(seen) < count {
		if frame := receive(t, ben); frame["type"] == 2.0 {
			got := params(frame)
			if first, again := seen[got["message"]]; again { // it was not acknowledged in time
				require.Equal(t, first, got["seq"], "one message")
			}
			require.NotEmpty(t, got["seq"])
			seen[got["message"]] = got["seq"]
			require.NoError(t, ben.WriteJSON(map[string]any{"type": 15, "params": map[string]any{"from": "client", "msgid": got["msgid"], "fromUser": "ann", "toUser": "ben"}}))
		}
	}
	t.Log("all there after", time.Since(began))
	_, text := call(t, http.MethodGet, p.one.base+"/api/v1/conversations?with=ann", "ben", "")
	require.Contains(t, text, fmt.Sprintf(`"lastSeq":%d`, count))
	require.NoError(t, ben.Close())
	p.sees(p.one, "ben", 0)
}

func (p *pair) endSession(t *testing.T) {
	dial(t, p.one.base, "ann&device=web")
	code := closes(dial(t, p.two.base, "ann&device=phone"))
	items := p.sees(p.one, "ann", 2)
	phone := items[0].(map[string]any)
	require.Equal(t, []any{"phone", "n2"}, []any{phone["device"], phone["node"]})
	began := time.Now()
	status, text := call(t, http.MethodDelete, p.one.base+"/api/v1/sessions/"+phone["sessionId"].(string), "ann", "")
	require.Equal(t, 200, status, text)
	require.Equal(t, 4403, <-code)
	t.Log("gone after", time.Since(began))
	require.Len(t, p.sees(p.two, "ann", 1), 1)
}

func (p *pair) revoke(t *testing.T) {
	here, there := closes(dial(t, p.one.base, "ben&device=web")), closes(dial(t, p.two.base, "ben&device=phone"))
	p.sees(p.one, "ben", 2)
	began := time.Now()
	answer := p.decoded(http.MethodDelete, p.one.base+"/api/v1/users/ben/sessions?revoke=true", "")
	require.EqualValues(t, 2, answer["ended"])
	require.Equal(t, []int{4401, 4401}, []int{<-here, <-there})
	t.Log("gone after", time.Since(began))
	for _, h := range []*host{p.one, p.two} {
		t.Log("refused after", becomes(t, 401, h.base, "ben"))
	}
}

func (p *pair) ban(t *testing.T) {
	here, there := closes(dial(t, p.one.base, "eve&device=web")), closes(dial(t, p.two.base, "eve&device=phone"))
	p.sees(p.one, "eve", 2)
	began := time.Now()
	answer := p.decoded(http.MethodPut, p.one.base+"/api/v1/users/eve/ban", "")
	require.EqualValues(t, 2, answer["ended"])
	require.Equal(t, []int{4403, 4403}, []int{<-here, <-there})
	t.Log("gone after", time.Since(began))
	for _, h := range []*host{p.one, p.two} {
		require.Equal(t, 403, upgradeStatus(t, h.base, "eve", ""))
		t.Log("refused after", becomes(t, 403, h.base, "eve"))
	}
}
