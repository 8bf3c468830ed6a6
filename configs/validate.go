package configs

import (
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

var (
	nodeID     = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)
	keyHash    = regexp.MustCompile(`^[0-9a-fA-F]{64}$`)
	headerName = regexp.MustCompile(`^[A-Za-z0-9!#$%&'*+.^_|~-]+$`)
)

const (
	// minKeyLength keeps service keys out of reach of guessing.
	minKeyLength = 16
	// hashedKey begins a service key that is given by its SHA-256.
	hashedKey = "sha256:"
)

// Validate reports everything that is wrong with c as a Problems, or nil.
func (c *Config) Validate() error {
	var p Problems
	for _, k := range keys(c) {
		k.check(&p)
	}
	c.checkServer(&p)
	c.checkDrivers(&p)
	c.checkSSO(&p)
	c.checkServiceKeys(&p)
	c.checkTimes(&p)
	return p.err()
}

// check holds a value against the bounds in its tags.
func (k *key) check(p *Problems) {
	if len(k.oneof) > 0 && !slices.Contains(k.oneof, k.value.String()) {
		p.add(k.name, "%q is unknown; use %s", k.value.String(), alternatives(k.oneof))
	}
	if k.min != "" && k.compare(k.min) < 0 || k.max != "" && k.compare(k.max) > 0 {
		p.add(k.name, "%v is out of range; it is %s", k.value.Interface(), k.bounds())
	}
}

// compare compares the value with a bound as written in a tag.
func (k *key) compare(bound string) int {
	if k.value.Type() == durationType {
		limit, err := time.ParseDuration(bound)
		must(err)
		return int(min(1, max(-1, k.value.Int()-int64(limit))))
	}
	limit, err := strconv.ParseFloat(bound, 64)
	must(err)
	given := 0.0
	if k.value.CanInt() {
		given = float64(k.value.Int())
	} else {
		given = k.value.Float()
	}
	switch {
	case given < limit:
		return -1
	case given > limit:
		return 1
	}
	return 0
}

// must stops at a tag that is no bound, which the package's own tests find.
func must(err error) {
	if err != nil {
		panic(err)
	}
}

func (k *key) bounds() string {
	switch {
	case k.max == "":
		return k.min + " or more"
	case k.min == "":
		return "at most " + k.max
	}
	return k.min + " to " + k.max
}

func alternatives(values []string) string {
	last := len(values) - 1
	return strings.Join(values[:last], ", ") + " or " + values[last]
}

func (c *Config) checkServer(p *Problems) {
	address(p, "server.listen", c.Server.Listen)
	if c.Server.Admin != "" {
		address(p, "server.admin", c.Server.Admin)
		if c.Server.Admin == c.Server.Listen && !strings.HasSuffix(c.Server.Admin, ":0") {
			p.add("server.admin", "the same address as server.listen; metrics and profiles need one of their own, or none")
		}
	}
	for _, origin := range c.Server.Origins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			p.add("server.origins", "%q is not an origin; write one such as https://chat.example.com", origin)
		}
	}
	for _, proxy := range c.Server.TrustedProxies {
		if _, err := netip.ParsePrefix(proxy); err == nil {
			continue
		}
		if _, err := netip.ParseAddr(proxy); err != nil {
			p.add("server.trustedProxies", "%q is neither an address nor a network; write one such as 10.0.0.0/8", proxy)
		}
	}
	if c.Node.ID != "" && !nodeID.MatchString(c.Node.ID) {
		p.add("node.id", "%q is not a node's name; use 1 to 64 letters, digits, - and _", c.Node.ID)
	}
	if c.Node.Advertise != "" {
		if at, err := netip.ParseAddrPort(c.Node.Advertise); err != nil || at.Port() == 0 || at.Addr().IsUnspecified() {
			p.add("node.advertise", "%q is not <ip>:<port>; write one such as 10.0.0.7:8084", c.Node.Advertise)
		}
	}
}

func address(p *Problems, key, given string) {
	_, port, err := net.SplitHostPort(given)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		p.add(key, "%q is not <host>:<port>; write one such as 127.0.0.1:8084", given)
	}
}

func (c *Config) checkSSO(p *Problems) {
	if c.SSO.URL != "" {
		if u, err := url.Parse(c.SSO.URL); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
			p.add("sso.url", "%q is not an address to GET; write one such as https://sso.example.com/check", c.SSO.URL)
		}
	}
	if !headerName.MatchString(c.SSO.Header) {
		p.add("sso.header", "%q cannot be a header's name; write one such as Authorization", c.SSO.Header)
	}
	if c.SSO.Cookie != "" && !headerName.MatchString(c.SSO.Cookie) {
		p.add("sso.cookie", "%q cannot be a cookie's name; write one such as session", c.SSO.Cookie)
	}
	if c.SSO.Fields.OpenID == "" {
		p.add("sso.fields.openid", "it is empty; write the path of the user's id in the SSO's answer, such as user.id")
	}
}

func (c *Config) checkServiceKeys(p *Problems) {
	names, secrets := map[string]bool{}, map[string]bool{}
	for i, k := range c.Auth.ServiceKeys {
		at := "auth.serviceKeys[" + strconv.Itoa(i) + "]"
		if k.Name == "" || names[k.Name] {
			p.add(at+".name", "%q is empty or taken; give each key a name of its own", k.Name)
		}
		if len(k.Key) < minKeyLength || secrets[k.Key] {
			p.add(at+".key", "it is shorter than %d characters or taken; make one by: openssl rand -hex 24", minKeyLength)
		}
		if digits, hashed := strings.CutPrefix(k.Key, hashedKey); hashed && !keyHash.MatchString(digits) {
			p.add(at+".key", "after %s stand the 64 hexadecimal digits of the key's SHA-256; make them by: printf %%s KEY | sha256sum", hashedKey)
		}
		if len(k.Scopes) == 0 {
			p.add(at+".scopes", "there are none; use some of send, read and admin")
		}
		for _, scope := range k.Scopes {
			if !slices.Contains([]string{"send", "read", "admin"}, scope) {
				p.add(at+".scopes", "%q is unknown; use send, read or admin", scope)
			}
		}
		names[k.Name], secrets[k.Key] = true, true
	}
}

func (c *Config) checkTimes(p *Problems) {
	if c.Heartbeat.Timeout <= c.Heartbeat.Interval {
		p.add("heartbeat.timeout", "%v is not longer than heartbeat.interval (%v); make it twice as long or more", c.Heartbeat.Timeout, c.Heartbeat.Interval)
	}
	if sum := c.Drain.Delay + c.Drain.Spread; c.Drain.Timeout <= sum {
		p.add("drain.timeout", "%v is not longer than drain.delay and drain.spread together (%v); make it longer", c.Drain.Timeout, sum)
	}
	if c.Server.WriteTimeout <= c.Server.CallTimeout {
		p.add("server.writeTimeout", "%v is not longer than server.callTimeout (%v); make it longer, or no late answer arrives", c.Server.WriteTimeout, c.Server.CallTimeout)
	}
	if _, err := time.LoadLocation(c.Protocol.Zone); err != nil {
		p.add("protocol.zone", "%q is not a time zone known here; write one such as Asia/Shanghai", c.Protocol.Zone)
	}
	if reflect.ValueOf(c.Messages.AppName).IsZero() || strings.ContainsAny(c.Messages.AppName, ",\x00\n\r\t") || len(c.Messages.AppName) > 100 {
		p.add("messages.appName", "%q cannot be part of an openid; use 1 to 100 characters without comma", c.Messages.AppName)
	}
}
