package configs

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestConfig_Validate(t *testing.T) {
	require.NoError(t, Default().Validate())
	for want, change := range map[string]func(*Config){
		"server.listen":            func(c *Config) { c.Server.Listen = "8084" },
		"server.admin":             func(c *Config) { c.Server.Admin = c.Server.Listen },
		"server.origins":           func(c *Config) { c.Server.Origins = []string{"https://a.example/path"} },
		"server.trustedProxies":    func(c *Config) { c.Server.TrustedProxies = []string{"proxy"} },
		"server.bodyBytes":         func(c *Config) { c.Server.BodyBytes = 0 },
		"server.queryTimeout":      func(c *Config) { c.Server.QueryTimeout = 0 },
		"store.dir":                func(c *Config) { c.Store.Dir = "" },
		"store.dsn":                func(c *Config) { c.Store.Driver = "mysql" },
		"registry.driver":          func(c *Config) { c.Registry.Driver = "redis"; c.Registry.Redis.Addrs = []string{"r:1"} },
		"bus.rocketmq.nameservers": func(c *Config) { cluster(c); c.Bus.RocketMQ.NameServers = nil },
		"events.linger":            func(c *Config) { c.Events.Linger = 0 },
		"registry.redis.addrs":     func(c *Config) { cluster(c); c.Registry.Redis.Addrs = nil },
		"store.driver":             func(c *Config) { cluster(c); c.Store.Driver = "pebble" },
		"discovery.nacos.addrs":    func(c *Config) { c.Discovery.Driver = "nacos" },
		"sso.url":                  func(c *Config) { c.SSO.URL = "ftp://a" },
		"sso.header":               func(c *Config) { c.SSO.Header = "a b" },
		"sso.cookie":               func(c *Config) { c.SSO.Cookie = "a;b" },
		"sso.fields.openid":        func(c *Config) { c.SSO.Fields.OpenID = "" },
		"sso.timeout":              func(c *Config) { c.SSO.Timeout = time.Millisecond },
		"limits.connectionsPerIP":  func(c *Config) { c.Limits.ConnectionsPerIP = -1 },
		"heartbeat.timeout":        func(c *Config) { c.Heartbeat.Timeout = c.Heartbeat.Interval },
		"retention.messages":       func(c *Config) { c.Retention.Messages = -time.Hour },
		"retention.tokens":         func(c *Config) { c.Retention.Tokens = -time.Hour },
		"presence.linger":          func(c *Config) { c.Presence.Linger = time.Hour },
		"limits.watchedUsers":      func(c *Config) { c.Limits.WatchedUsers = -1 },
		"delivery.window":          func(c *Config) { c.Delivery.Window = 0 },
		"messages.appName":         func(c *Config) { c.Messages.AppName = "a,b" },
		"drain.timeout":            func(c *Config) { c.Drain.Timeout = c.Drain.Delay },
		"protocol.trigger":         func(c *Config) { c.Protocol.Trigger = "2" },
		"log.level":                func(c *Config) { c.Log.Level = "loud" },
		"limits.refusalsPerSecondPerIP": func(c *Config) {
			c.Limits.RefusalsPerSecondPerIP = -1
		},
		"auth.serviceKeys[0].name": func(c *Config) {
			c.Auth.ServiceKeys = []ServiceKey{{Key: "0123456789abcdef", Scopes: []string{"send"}}}
		},
		"auth.serviceKeys[0].key": func(c *Config) {
			c.Auth.ServiceKeys = []ServiceKey{{Name: "n", Key: "sha256:0123456789abcdef", Scopes: []string{"send"}}}
		},
		"auth.serviceKeys[0].scopes": func(c *Config) { c.Auth.ServiceKeys = []ServiceKey{{Name: "n", Key: "0123456789abcdef"}} },
	} {
		c := Default()
		change(c)
		err := c.Validate()
		var problems Problems
		require.ErrorAs(t, err, &problems, want)
		require.Len(t, problems, 1, want)
		require.True(t, strings.HasPrefix(problems[0], want+": "), problems[0])
		require.NotContains(t, err.Error(), "\n")
	}
}

func TestConfig_Validate_Events(t *testing.T) {
	c := Default()
	c.Events.Enabled = true
	require.ErrorContains(t, c.Validate(), "bus.rocketmq.nameservers: it is empty; events.enabled needs")
	c.Bus.RocketMQ.NameServers = []string{"q:9876"}
	require.NoError(t, c.Validate())
}

func TestConfig_Validate_Sets(t *testing.T) {
	for _, change := range []func(*Config){
		cluster,
		func(c *Config) { c.Store.Driver, c.Store.DSN = "postgres", "postgres://db" },
	} {
		c := Default()
		change(c)
		require.NoError(t, c.Validate())
	}
}

func cluster(c *Config) {
	c.Store.Driver, c.Store.DSN = "mysql", "user@/db"
	c.Registry.Driver, c.Registry.Redis.Addrs = "redis", []string{"r:6379"}
	c.Bus.Driver, c.Bus.RocketMQ.NameServers = "rocketmq", []string{"q:9876"}
}
