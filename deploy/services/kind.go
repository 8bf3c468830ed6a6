package services

import (
	"context"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"syscall"
)

// Kind names a server.
type Kind string

// The kinds there are.
const (
	Redis    Kind = "redis"
	MariaDB  Kind = "mariadb"
	Postgres Kind = "postgres"
	Namesrv  Kind = "namesrv" // RocketMQ's name server
	Broker   Kind = "broker"  // RocketMQ's broker
	Nacos    Kind = "nacos"   // by rnacos
)

// software is what there is to know about one kind.
type software struct {
	port       int            // of the default instance; away from the standard one, and below what Linux gives to clients
	neighbours []int          // where it listens too, relative to its port
	needs      []Kind         // kinds whose default instance the default instance needs
	programs   []program      // that have to be installed
	user       string         // who runs it where root, who must not, starts it
	stop       syscall.Signal // asks it to end in order
	slow       bool           // to end in order: a test kills it when done with it

	fetched   func() bool                                         // whether what is not in Debian is there
	fetch     func(ctx context.Context, progress io.Writer) error // brings it
	prepare   func(ctx context.Context, s Spec) error             // makes a new data folder
	configure func(s Spec) error                                  // writes its configuration, before each start
	command   func(s Spec) *exec.Cmd                              // runs it in the foreground
	ready     func(ctx context.Context, i Instance) error         // asks for something that only a ready server answers
}

var known = map[Kind]software{
	Redis:    redis,
	MariaDB:  mariadb,
	Postgres: postgres,
	Namesrv:  namesrv,
	Broker:   broker,
	Nacos:    nacos,
}

// Kinds are all there are, in the order in which they start.
func Kinds() []Kind { return []Kind{Redis, MariaDB, Postgres, Namesrv, Broker, Nacos} }

// Defaults are the kinds that run as default instances unless others are named: all, but Nacos, which takes minutes to
// build, only once [Install] was asked for it.
func Defaults() []Kind {
	return slices.DeleteFunc(Kinds(), func(kind Kind) bool { return kind == Nacos && Installed(Nacos) != nil })
}

// ParseKind returns the kind of that name.
func ParseKind(name string) (Kind, error) {
	if _, ok := known[Kind(name)]; ok {
		return Kind(name), nil
	}
	return "", fmt.Errorf("there is no service %q; there are %v", name, Kinds())
}
