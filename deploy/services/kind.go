package services

import (
	"context"
	"fmt"
	"io"
	"maps"
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
)

// software is what there is to know about one kind.
type software struct {
	port     int            // of the default instance; away from the standard one, and below what Linux gives to clients
	programs []program      // that have to be installed
	user     string         // who runs it where root, who must not, starts it
	stop     syscall.Signal // asks it to end in order

	fetch   func(ctx context.Context, progress io.Writer) error // brings what is not in Debian; nil: nothing
	prepare func(ctx context.Context, s Spec) error             // makes a new data folder; nil: nothing
	command func(s Spec) *exec.Cmd                              // runs in the foreground
	ready   func(ctx context.Context, i Instance) error         // asks it for something only a ready server answers
}

var known = map[Kind]software{
	Redis:    redis,
	MariaDB:  mariadb,
	Postgres: postgres,
}

// Defaults are the kinds that run as default instances unless others are named, in the order in which they start.
func Defaults() []Kind { return []Kind{Redis, MariaDB, Postgres} }

// Kinds are all there are.
func Kinds() []Kind { return slices.Sorted(maps.Keys(known)) }

// ParseKind returns the kind of that name.
func ParseKind(name string) (Kind, error) {
	if _, ok := known[Kind(name)]; ok {
		return Kind(name), nil
	}
	return "", fmt.Errorf("there is no service %q; there are %v", name, Kinds())
}
