package world

import (
	"fmt"
	"path/filepath"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
	"github.com/yanlink/yanlink/deploy/freeport"
)

// Addresses is where a node finds what it stands on.
type Addresses struct {
	Driver  string // of the store: mysql or postgres
	DSN     string
	Redis   string
	Namesrv string
	SSO     string // URL
}

// Name is the node.id of the n-th node, counted from 1. It survives restarts.
func Name(n int) string { return fmt.Sprintf("node%d", n) }

// NewNode prepares the n-th node of a cluster, counted from 1, in a folder of its own below dir. env is added, and wins.
func NewNode(bin, dir string, n int, a Addresses, env ...string) (*child.Server, error) {
	address, err := freeport.Address()
	if err != nil {
		return nil, err
	}
	return child.NewAt(address, bin, filepath.Join(dir, Name(n)), append([]string{
		"YANLINK_NODE_ID=" + Name(n),
		"YANLINK_NODE_ADVERTISE=" + address,
		"YANLINK_STORE_DRIVER=" + a.Driver,
		"YANLINK_STORE_DSN=" + a.DSN,
		"YANLINK_REGISTRY_DRIVER=redis",
		"YANLINK_REGISTRY_REDIS_ADDRS=" + a.Redis,
		"YANLINK_BUS_DRIVER=rocketmq",
		"YANLINK_BUS_ROCKETMQ_NAMESERVERS=" + a.Namesrv,
		"YANLINK_SSO_URL=" + a.SSO,
		"YANLINK_SSO_HEADER=" + tokenHeader,
	}, env...)...)
}
