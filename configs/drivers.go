package configs

// checkDrivers holds the chosen drivers against the two sets that work: everything in one process, or a cluster in
// which all that is shared lives outside.
func (c *Config) checkDrivers(p *Problems) {
	sql := c.Store.Driver == "mysql" || c.Store.Driver == "postgres"
	redis, rocketmq := c.Registry.Driver == "redis", c.Bus.Driver == "rocketmq"
	switch {
	case redis != rocketmq:
		p.add("registry.driver", "%s does not work with bus.driver %s; use memory for both, or redis with rocketmq", c.Registry.Driver, c.Bus.Driver)
	case redis && c.Store.Driver == "pebble":
		p.add("store.driver", "pebble belongs to one process and cannot be shared by a cluster; use mysql or postgres, or memory for registry.driver and bus.driver")
	}
	if c.Store.Driver == "pebble" && c.Store.Dir == "" {
		p.add("store.dir", "it is empty; write the folder of the ledger, such as ./data")
	}
	need(p, sql, c.Store.DSN != "", "store.dsn", "it is empty; store.driver "+c.Store.Driver+" needs a data source name")
	need(p, redis, len(c.Registry.Redis.Addrs) > 0, "registry.redis.addrs", "it is empty; registry.driver redis needs <host>:<port> of each server")
	need(p, rocketmq, len(c.Bus.RocketMQ.NameServers) > 0, "bus.rocketmq.nameservers", "it is empty; bus.driver rocketmq needs <host>:<port> of each name server")
	need(p, c.Events.Enabled && !rocketmq, len(c.Bus.RocketMQ.NameServers) > 0, "bus.rocketmq.nameservers", "it is empty; events.enabled needs <host>:<port> of each name server")
	nacos := c.Discovery.Driver == "nacos"
	need(p, nacos, len(c.Discovery.Nacos.Addrs) > 0, "discovery.nacos.addrs", "it is empty; discovery.driver nacos needs <host>:<port> of each server")
	need(p, nacos, c.Discovery.Nacos.Service != "", "discovery.nacos.service", "it is empty; write the name to register, such as yanlink")
}

func need(p *Problems, when, given bool, key, what string) {
	if when && !given {
		p.add(key, "%s", what)
	}
}
