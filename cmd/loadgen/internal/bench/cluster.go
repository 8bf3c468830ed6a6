package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/child"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
	"github.com/yanlink/yanlink/deploy/freeport"
	"github.com/yanlink/yanlink/deploy/services"
)

// nodeGrace is how long a node may take to drain.
const nodeGrace = time.Minute

// storeDrivers are what a node's settings call databases.
var storeDrivers = map[services.Kind]string{services.MariaDB: "mysql", services.Postgres: "postgres"}

// cluster is nodes on services of this run's own.
type cluster struct {
	database services.Kind
	services map[services.Kind]*services.Server
	commands []child.Command
	admins   []string // addresses of the nodes' metrics and profiles
	nodes    []*child.Process
}

// kinds are the services of the cluster, in the order in which they start.
func (c *cluster) kinds() []services.Kind {
	return []services.Kind{c.database, services.Redis, services.Namesrv, services.Broker}
}

// cluster starts nodes on a database, Redis and RocketMQ.
func (l *launcher) cluster(ctx context.Context, database services.Kind, nodes int, progress io.Writer) (c *cluster, err error) {
	c = &cluster{database: database, services: map[services.Kind]*services.Server{}}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.stop())
		}
	}()
	addresses, err := c.startServices(ctx, filepath.Join(l.dir, string(database)), progress)
	if err != nil {
		return c, err
	}
	for i := range nodes {
		command, admin, err := l.node(fmt.Sprintf("node-%d", i+1), addresses)
		if err != nil {
			return c, err
		}
		process, err := child.Start(ctx, command)
		if err != nil {
			return c, err
		}
		c.commands, c.admins, c.nodes = append(c.commands, command), append(c.admins, admin), append(c.nodes, process)
	}
	return c, nil
}

// startServices returns the settings by which nodes find them.
func (c *cluster) startServices(ctx context.Context, dir string, progress io.Writer) (settings []string, err error) {
	if err := services.Install(ctx, progress, c.kinds()...); err != nil {
		return nil, err
	}
	for _, kind := range c.kinds() {
		spec := services.Spec{Kind: kind, Dir: filepath.Join(dir, string(kind))}
		if kind == services.Broker {
			spec.Namesrv = c.services[services.Namesrv].Addr
		}
		if c.services[kind], err = services.Start(ctx, spec); err != nil {
			delete(c.services, kind)
			return nil, err
		}
	}
	return []string{
		"YANLINK_STORE_DRIVER=" + storeDrivers[c.database], "YANLINK_STORE_DSN=" + c.services[c.database].DSN(services.Database), "YANLINK_STORE_DIR=" + dir,
		"YANLINK_REGISTRY_DRIVER=redis", "YANLINK_REGISTRY_REDIS_ADDRS=" + c.services[services.Redis].Addr,
		"YANLINK_BUS_DRIVER=rocketmq", "YANLINK_BUS_ROCKETMQ_NAMESERVERS=" + c.services[services.Namesrv].Addr,
	}, nil
}

// node describes a node with a name. One generator that is ten thousand clients is no stranger who asks too much.
func (l *launcher) node(id string, settings []string) (command child.Command, admin string, err error) {
	addr, err := freeport.Address()
	if err != nil {
		return command, "", err
	}
	admin, err = freeport.Address()
	return child.Command{
		Name: id, Path: l.server, Addr: addr, Log: filepath.Join(l.dir, id+".log"), Grace: nodeGrace,
		Env: append([]string{
			"YANLINK_NODE_ID=" + id, "YANLINK_NODE_ADVERTISE=" + addr, "YANLINK_SERVER_LISTEN=" + addr, "YANLINK_SERVER_ADMIN=" + admin,
			"YANLINK_LIMITS_CONNECTIONSPERIP=0", "YANLINK_LIMITS_CONNECTSPERSECONDPERIP=0", "YANLINK_LIMITS_FRAMESPERSECOND=0",
		}, settings...),
	}, admin, err
}

func (c *cluster) targets() (targets []scenario.Target) {
	for _, node := range c.nodes {
		targets = append(targets, scenario.Target{Addr: node.Addr, PID: node.PID()})
	}
	return targets
}

// restart stops a node in order and starts it again.
func (c *cluster) restart(ctx context.Context, i int) (err error) {
	if err := c.nodes[i].Stop(); err != nil {
		return err
	}
	node, err := child.Start(ctx, c.commands[i])
	if err == nil {
		c.nodes[i] = node
	}
	return err
}

// stop kills all of it: what it wrote is thrown away, and a broker takes its time to end in order.
func (c *cluster) stop() error {
	var errs []error
	for _, node := range c.nodes {
		errs = append(errs, node.Kill())
	}
	for _, kind := range slices.Backward(c.kinds()) {
		if server := c.services[kind]; server != nil {
			errs = append(errs, server.Kill())
		}
	}
	return errors.Join(errs...)
}

// withCluster runs work on so many nodes.
func (b *bencher) withCluster(ctx context.Context, database services.Kind, nodes int, work func(context.Context, *cluster) error) error {
	b.report.Databases = append(b.report.Databases, string(database))
	c, err := b.cluster(ctx, database, nodes, b.stderr)
	if err != nil {
		return err
	}
	return errors.Join(work(ctx, c), c.stop())
}
