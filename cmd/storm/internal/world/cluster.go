package world

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
	"github.com/yanlink/yanlink/cmd/storm/internal/fault"
	"github.com/yanlink/yanlink/deploy/services"
)

// ClusterOptions say how large a cluster is and how much befalls it.
type ClusterOptions struct {
	Bin     string        // the server's
	Dir     string        // of everything
	Store   services.Kind // MariaDB or Postgres
	Nodes   int
	Kills   int // of nodes
	Outages int // strikes at what nodes stand on
}

// Cluster is nodes on real services, and all of them to be struck.
type Cluster struct {
	opt      ClusterOptions
	backends *Backends
	sso      *SSO
	nodes    []*child.Server
}

// NewCluster starts the services and prepares the nodes.
func NewCluster(ctx context.Context, opt ClusterOptions, progress io.Writer) (c *Cluster, err error) {
	c = &Cluster{opt: opt}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
		}
	}()
	if c.backends, err = StartBackends(ctx, opt.Store, opt.Dir, progress); err != nil {
		return c, err
	}
	if c.sso, err = StartSSO(ctx); err != nil {
		return c, err
	}
	for n := range opt.Nodes {
		node, err := NewNode(opt.Bin, opt.Dir, n+1, c.backends.Addresses(c.sso))
		if err != nil {
			return c, err
		}
		c.nodes = append(c.nodes, node)
	}
	return c, nil
}

// Start starts all nodes, the first one alone: it makes the tables.
func (c *Cluster) Start(ctx context.Context) error {
	if err := c.nodes[0].Start(ctx); err != nil {
		return err
	}
	var starts errgroup.Group
	for _, node := range c.nodes[1:] {
		starts.Go(func() error { return node.Start(ctx) })
	}
	return starts.Wait()
}

// Nodes returns the URLs of the nodes.
func (c *Cluster) Nodes() (urls []string) {
	for _, node := range c.nodes {
		urls = append(urls, node.URL())
	}
	return urls
}

// Login returns a token of the storm's own SSO.
func (c *Cluster) Login(_ context.Context, openID string) (string, error) {
	return c.sso.Token(openID), nil
}

// Series is kills of nodes, and beside them strikes at the services.
func (c *Cluster) Series(r *rand.Rand) []fault.Series {
	return []fault.Series{c.nodeSeries(r), c.serviceSeries(r)}
}

// Alive returns an error if a node ended by itself.
func (c *Cluster) Alive() error {
	for i, node := range c.nodes {
		if err := node.Alive(); err != nil {
			return fmt.Errorf("%s: %w", Name(i+1), err)
		}
	}
	return nil
}

// Stop ends all nodes in order, one after the other.
func (c *Cluster) Stop() error {
	var errs []error
	for i, node := range c.nodes {
		if err := node.Stop(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", Name(i+1), err))
		}
	}
	return errors.Join(errs...)
}

// Check reads what the nodes wrote into their logs.
func (c *Cluster) Check(context.Context) error {
	var errs []error
	for _, node := range c.nodes {
		errs = append(errs, node.Complaints(), node.Leaks(TokenPrefix))
	}
	return errors.Join(errs...)
}

// Close ends everything that still runs.
func (c *Cluster) Close() error {
	var errs []error
	for _, node := range c.nodes {
		errs = append(errs, node.Close())
	}
	if c.sso != nil {
		errs = append(errs, c.sso.Close())
	}
	if c.backends != nil {
		errs = append(errs, c.backends.Close())
	}
	return errors.Join(errs...)
}
