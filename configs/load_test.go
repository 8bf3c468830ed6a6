package configs

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spf13/viper"
	"github.com/stretchr/testify/require"
)

func file(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "yanlink.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestLoad_Nothing(t *testing.T) {
	c, err := Load("")
	require.NoError(t, err)
	require.Equal(t, Default(), c)
	require.Equal(t, "127.0.0.1:8084", c.Server.Listen)
}

func TestLoad_FileAndEnvironment(t *testing.T) {
	path := file(t, "server:\n  listen: 127.0.0.1:1\n  origins: [https://a.example]\nSSO:\n  CACHETTL: 2m\nlimits:\n  framesPerSecond: 2.5\nnode:\n  id: 7\n")
	t.Setenv("YANLINK_SERVER_LISTEN", "127.0.0.1:2")
	t.Setenv("YANLINK_SERVER_ADMIN", "")
	t.Setenv("YANLINK_SERVER_TRUSTEDPROXIES", "10.0.0.0/8, 127.0.0.1")
	t.Setenv("YANLINK_AUTH_ADMINROLES", `["root","boss"]`)
	t.Setenv("YANLINK_HEARTBEAT_INTERVAL", "250s")
	t.Setenv("YANLINK_HEARTBEAT_TIMEOUT", "1h")
	t.Setenv("YANLINK_DELIVERY_SENDERDEVICES", "false")
	t.Setenv("YANLINK_AUTH_SERVICEKEYS", `[{"name":"orders","key":"0123456789abcdef","scopes":["send","read"]}]`)
	c, err := Load(path)
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:2", c.Server.Listen, "the environment wins")
	require.Empty(t, c.Server.Admin, "an empty variable counts")
	require.Equal(t, []string{"https://a.example"}, c.Server.Origins)
	require.Equal(t, []string{"10.0.0.0/8", "127.0.0.1"}, c.Server.TrustedProxies)
	require.Equal(t, []string{"root", "boss"}, c.Auth.AdminRoles)
	require.Equal(t, 2*time.Minute, c.SSO.CacheTTL, "keys do not depend on case")
	require.Equal(t, 250*time.Second, c.Heartbeat.Interval)
	require.InDelta(t, 2.5, c.Limits.FramesPerSecond, 0)
	require.Equal(t, "7", c.Node.ID)
	require.False(t, c.Delivery.SenderDevices)
	require.Equal(t, []ServiceKey{{Name: "orders", Key: "0123456789abcdef", Scopes: []string{"send", "read"}}}, c.Auth.ServiceKeys)
}

func TestLoad_EveryKeyFromTheEnvironment(t *testing.T) {
	other := map[string]string{
		"store.driver": "mysql", "store.migrate": "off", "registry.driver": "redis", "bus.driver": "rocketmq",
		"discovery.driver": "nacos", "messages.unknownUsers": "store", "protocol.trigger": "exact", "protocol.zone": "UTC",
		"log.level": "debug", "log.format": "json", "node.advertise": "10.0.0.1:8084", "sso.url": "http://sso.example/check",
		"server.origins": "https://a.example", "server.trustedProxies": "10.0.0.1", "drain.timeout": "90s", "heartbeat.timeout": "99s", "server.admin": "", "ledger.commitQueue": "99",
		"auth.serviceKeys": `[{"name":"n","key":"0123456789abcdef","scopes":["admin"]}]`,
	}
	for _, k := range keys(Default()) {
		value, special := other[k.name]
		switch {
		case special:
		case k.value.Type() == durationType:
			value = (time.Duration(k.value.Int()) + time.Second).String()
			if k.max == "1s" {
				value = "2ms"
			}
		case k.value.Kind() == 1: // bool
			value = map[bool]string{true: "false", false: "true"}[k.value.Bool()]
		case k.value.CanInt(), k.value.CanFloat():
			value = map[bool]string{true: "8", false: "2097152"}[k.max != "" && len(k.max) < 7]
		default:
			value = "127.0.0.9:99"
		}
		if k.name == "node.id" || k.name == "sso.header" || k.name == "sso.cookie" {
			value = "other"
		}
		if k.name == "sso.cacheSize" {
			value = "200"
		}
		t.Setenv(k.env(), value)
	}
	c, err := Load("")
	require.NoError(t, err)
	defaults := keys(Default())
	for i, k := range keys(c) {
		require.NotEqual(t, defaults[i].value.Interface(), k.value.Interface(), "%s does not come from %s", k.name, k.env())
	}
}

func TestLoad_SecretFiles(t *testing.T) {
	secret := file(t, "s3cret\n")
	t.Setenv("YANLINK_REGISTRY_REDIS_PASSWORD_FILE", secret)
	c, err := Load("")
	require.NoError(t, err)
	require.Equal(t, "s3cret", c.Registry.Redis.Password)

	t.Run("ErrBoth", func(t *testing.T) {
		t.Setenv("YANLINK_REGISTRY_REDIS_PASSWORD", "x")
		_, err := Load("")
		require.ErrorContains(t, err, "registry.redis.password: both")
	})
	t.Run("ErrMissing", func(t *testing.T) {
		t.Setenv("YANLINK_STORE_DSN_FILE", secret+".no")
		_, err := Load("")
		require.ErrorContains(t, err, "store.dsn: the file that YANLINK_STORE_DSN_FILE names cannot be read")
	})
}

// TestLoad_AllProblemsAtOnce holds one wrong value of each sort; every one has to be reported, with what would be right.
func TestLoad_AllProblemsAtOnce(t *testing.T) {
	path := file(t, strings.Join([]string{
		"server:", "  listn: x", "  admin: nowhere", "  origins: {a: b}", "  bodyBytes: 1.5",
		"sso:", "  timeout: 5", "  url: sso.example", "  dev: 1", "  cacheTTL: soon", "  recheck: '5'",
		"store:", "  driver: sqlite",
		"limits:", "  frameBytes: 10", "  inFlight: many", "  fields: 3",
		"delivery: fast",
		"heartbeat:", "  interval: 80s",
		"auth:", "  serviceKeys:", "    - {name: a, key: short, scopes: [write]}",
		"drain:", "  timeout: 3s",
		"protocol:", "  zone: Moon/Crater",
		"node:", "  id: a b", "  advertise: here",
	}, "\n"))
	_, err := Load(path)
	var problems Problems
	require.ErrorAs(t, err, &problems)
	for _, want := range []string{
		"server.listn: unknown key; did you mean server.listen?",
		`server.admin: "nowhere" is not <host>:<port>`,
		"server.origins: a section is not a list",
		"server.bodyBytes: 1.5 is not a whole number",
		"sso.timeout: 5 has no unit; write 5s or 5ms",
		"sso.recheck: 5 has no unit; write 5s or 5ms",
		`sso.url: "sso.example" is not an address`,
		"sso.dev: 1 is neither true nor false",
		`sso.cacheTTL: "soon" is not a duration`,
		`store.driver: "sqlite" is unknown; use pebble, mysql or postgres`,
		"limits.frameBytes: 10 is out of range; it is 1024 to 16777216",
		`limits.inFlight: "many" is not a whole number`,
		"limits.fields: unknown key",
		"delivery: a section, not a value",
		"heartbeat.timeout: 1m15s is not longer than heartbeat.interval (1m20s)",
		"auth.serviceKeys[0].key: it is shorter than 16 characters",
		`auth.serviceKeys[0].scopes: "write" is unknown`,
		"drain.timeout: 3s is not longer",
		`protocol.zone: "Moon/Crater" is not a time zone`,
		`node.id: "a b" is not a node's name`,
		`node.advertise: "here" is not <ip>:<port>`,
	} {
		require.Contains(t, err.Error(), want)
	}
	require.Len(t, problems, 21)
	require.NotContains(t, err.Error(), "short,", "a secret is not quoted")
}

func TestLoad_Unreadable(t *testing.T) {
	_, err := Load(filepath.Join(t.TempDir(), "none.yaml"))
	require.ErrorContains(t, err, "none.yaml: it cannot be read: no such file")
	_, err = Load(file(t, "server: [\n"))
	require.ErrorContains(t, err, "it cannot be understood: ")
	require.NotContains(t, err.Error(), "\n")
	_, err = Load(file(t, "server:\n  listen: a\n  listen: b\n"))
	require.ErrorContains(t, err, "already defined")
	_, err = Load(file(t, "sso: {}\nsso: {}\nlog: {}\nlog: {}\n"))
	require.ErrorContains(t, err, "it cannot be understood:\n  line 2: mapping key \"sso\" already defined at line 1\n  line 4: ")
	_, err = Load(file(t, "- a\n- b\n"))
	require.ErrorContains(t, err, "it cannot be understood: line 1: it holds a list where sections belong")
}

func TestLoad_UnknownVariables(t *testing.T) {
	t.Setenv("YANLINK_SSO_URI", "https://sso.example.com")
	t.Setenv("YANLINK_FOO", "a-token")
	t.Setenv("YANLINK_SSO_TIMEOUT_FILE", "/none") // no secret
	t.Setenv("YANLINKED", "is not ours")
	_, err := Load("")
	var problems Problems
	require.ErrorAs(t, err, &problems)
	require.Equal(t, Problems{
		"YANLINK_FOO: unknown variable; see docs/configuration.md for those there are",
		"YANLINK_SSO_TIMEOUT_FILE: unknown variable; did you mean YANLINK_SSO_TIMEOUT?",
		"YANLINK_SSO_URI: unknown variable; did you mean YANLINK_SSO_URL?",
	}, problems)
}

func TestLoadWith_Remote(t *testing.T) {
	path := file(t, "discovery: {driver: nacos, nacos: {addrs: ['nacos:8848'], config: yanlink.yaml}}\nsso: {timeout: 7s}\n")
	t.Setenv("YANLINK_LOG_LEVEL", "debug")
	kept := "sso: {timeout: 9s, cacheTTL: 9m}\nlog: {level: warn, format: json}\n"
	remote := func(at Nacos) (string, error) {
		require.Equal(t, []string{"nacos:8848"}, at.Addrs)
		return kept, nil
	}
	c, err := LoadWith(path, remote)
	require.NoError(t, err)
	require.Equal(t, 9*time.Minute, c.SSO.CacheTTL)
	require.Equal(t, 7*time.Second, c.SSO.Timeout, "the file goes before it")
	require.Equal(t, "debug", c.Log.Level, "and so does the environment")
	require.Equal(t, "json", c.Log.Format)

	kept = "sso: {cachTTL: 9m}\n"
	_, err = LoadWith(path, remote)
	require.ErrorContains(t, err, "sso.cachttl: unknown key; did you mean sso.cacheTTL?")
	kept = "["
	_, err = LoadWith(path, remote)
	require.ErrorContains(t, err, "discovery.nacos.config: yanlink.yaml: it cannot be understood: line 1")
	_, err = LoadWith(path, func(Nacos) (string, error) { return "", errors.New("nobody answers") })
	require.EqualError(t, err, "discovery.nacos.config: nobody answers")
	_, err = LoadWith(file(t, "sso: {timeout: 7s}\n"), func(Nacos) (string, error) { panic("it is not asked") })
	require.NoError(t, err)
}

func TestLoad_ServiceKeyFields(t *testing.T) {
	_, err := Load(file(t, "auth:\n  serviceKeys:\n    - {nam: a, key: 0123456789abcdef, scopes: [send]}\n"))
	require.ErrorContains(t, err, `"nam" is unknown; a key has name, key and scopes`)
	_, err = Load(file(t, "auth:\n  serviceKeys: hunter2hunter2hunter2\n"))
	require.ErrorContains(t, err, "auth.serviceKeys: a text is not a list of keys")
	require.NotContains(t, err.Error(), "hunter2")
	_, err = Load(file(t, "auth:\n  serviceKeys: [hunter2hunter2hunter2]\n"))
	require.ErrorContains(t, err, "a plain value is not a key")
	require.NotContains(t, err.Error(), "hunter2")
}

func TestLoad_ServiceKeysOneLineEach(t *testing.T) {
	_, err := Load(file(t, "auth:\n  serviceKeys:\n    - {name: [a], key: {hunter2: b}, scopes: 7}\n    - {nix: 1}\n"))
	var problems Problems
	require.ErrorAs(t, err, &problems)
	require.Equal(t, Problems{
		"auth.serviceKeys[0].name: a list is not a text; put it in quotes",
		"auth.serviceKeys[0].key: a section is not a text; put it in quotes",
		"auth.serviceKeys[0].scopes: 7 is not a list; write [a, b]",
		`auth.serviceKeys[1]: "nix" is unknown; a key has name, key and scopes`,
	}, problems)
}

func TestFromViper(t *testing.T) {
	host := viper.New()
	host.SetConfigType("yaml")
	require.NoError(t, host.ReadConfig(strings.NewReader("port: 1\nyanlink:\n  sso: {timeout: 7s}\n  server: {origins: 'https://a.example,https://b.example'}\n")))
	require.NoError(t, host.BindEnv("yanlink.node.id", "HOST_NODE"))
	t.Setenv("HOST_NODE", "n7")
	t.Setenv("YANLINK_SERVER_LISTEN", "127.0.0.1:2")
	c, err := FromViper(host, "yanlink")
	require.NoError(t, err)
	require.Equal(t, 7*time.Second, c.SSO.Timeout)
	require.Equal(t, []string{"https://a.example", "https://b.example"}, c.Server.Origins)
	require.Equal(t, "n7", c.Node.ID, "what the host has bound counts")
	require.Equal(t, Default().Server.Listen, c.Server.Listen, "our own variables do not")

	t.Run("NoSection", func(t *testing.T) {
		c, err := FromViper(viper.New(), "yanlink")
		require.NoError(t, err)
		require.Equal(t, Default(), c)
	})
	t.Run("ErrProblems", func(t *testing.T) {
		host.Set("yanlink.sso.tmeout", "1s")
		host.Set("yanlink.sso.cacheTTL", 5)
		_, err := FromViper(host, "yanlink")
		require.ErrorContains(t, err, "sso.tmeout: unknown key; did you mean sso.timeout?")
		require.ErrorContains(t, err, "sso.cacheTTL: 5 has no unit")
	})
}
