package redisregistry

import (
	"errors"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

const (
	// defaultNodeTTL leaves room for two lost beats of those that a node makes every two seconds. With the time to the
	// next look and a reaper that dies at its work too, ghosts are gone within 10 s.
	defaultNodeTTL = 6 * time.Second
	defaultTimeout = 500 * time.Millisecond
)

// Options say where Redis is and for which node it is opened. Address and either Addrs or Client are required.
type Options struct {
	Address string        // the node's <ip>:<port>, with which its session ids begin
	NodeTTL time.Duration // a node is dead so long after its last beat, and the same in the whole cluster; 0: 6 s

	// Addrs are the server; or, if there are several, some of a Redis Cluster's; or, with Master, the Sentinels.
	Addrs    []string
	Username string
	Password string
	Master   string        // the name by which the Sentinels know the master
	DB       int           // not in a Redis Cluster
	Timeout  time.Duration // of connecting, and of each read and write, however much longer the context is; 0: 500 ms

	// Client is used instead of a connection of its own, and left open by Close.
	Client redis.UniversalClient
}

func (o *Options) complete() error {
	switch {
	case o.Address == "":
		return errors.New("redisregistry: the node's address is missing")
	case o.Client == nil && len(o.Addrs) == 0:
		return errors.New("redisregistry: neither an address of Redis nor a client is given")
	case o.Client != nil && ignoresDeadlines(o.Client):
		return errors.New("redisregistry: the given Redis client ignores deadlines; set its ContextTimeoutEnabled")
	}
	if o.NodeTTL == 0 {
		o.NodeTTL = defaultNodeTTL
	}
	if o.Timeout == 0 {
		o.Timeout = defaultTimeout
	}
	return nil
}

// ignoresDeadlines reports whether a client is known to go on after its caller's context has ended.
func ignoresDeadlines(client redis.UniversalClient) bool {
	switch c := client.(type) {
	case *redis.Client:
		return !c.Options().ContextTimeoutEnabled
	case *redis.ClusterClient:
		return !c.Options().ContextTimeoutEnabled
	}
	return false
}

func (o *Options) connect() redis.UniversalClient {
	return redis.NewUniversalClient(&redis.UniversalOptions{
		Addrs: o.Addrs, Username: o.Username, Password: o.Password, MasterName: o.Master, DB: o.DB,
		DialTimeout: o.Timeout, ReadTimeout: o.Timeout, WriteTimeout: o.Timeout, PoolTimeout: o.Timeout,
		ContextTimeoutEnabled: true,
		// One more try finds a connection that the server closed, or the master after a failover; who waits for an answer
		// has a ledger to go to, and is not kept longer.
		MaxRetries: 1, DialerRetries: 1,
		DisableIdentity:          true,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	})
}

// where names the servers in errors.
func (o *Options) where() string {
	switch c := o.Client.(type) {
	case nil:
		return strings.Join(o.Addrs, ", ")
	case *redis.Client:
		return c.Options().Addr
	case *redis.ClusterClient:
		return strings.Join(c.Options().Addrs, ", ")
	}
	return "the given client's address"
}
