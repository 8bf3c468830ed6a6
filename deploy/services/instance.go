package services

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// Instance is a running server as its clients see it. The same with another Addr is the server behind a [Proxy].
type Instance struct {
	Kind Kind
	Addr string // host:port
}

// Ready asks the server for something that only a ready one answers, and returns what is wrong.
func (i Instance) Ready(ctx context.Context) error { return known[i.Kind].ready(ctx, i) }

func (i Instance) host() string {
	host, _, _ := net.SplitHostPort(i.Addr)
	return host
}

func (i Instance) port() string {
	_, port, _ := net.SplitHostPort(i.Addr)
	return port
}

// Env returns what a test by hand wants to know of the instance, as NAME=VALUE: the DSN of a database, the address of
// anything else.
func (i Instance) Env() string {
	value := i.Addr
	if i.Kind == MariaDB || i.Kind == Postgres {
		value = i.DSN(Database)
	}
	return fmt.Sprintf("SERVICES_%s=%s", strings.ToUpper(string(i.Kind)), value)
}
