// Package freeport finds ports of 127.0.0.1 for servers that tests start, kill and start again.
package freeport

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
)

// Ports are looked for below those that Linux gives to clients (32768 and up), where a client could take the port of a server that is
// down for a moment, and above those that the services of the tests have.
const (
	first = 21_000
	last  = 30_000
	tries = 100
)

// Take returns a port of 127.0.0.1 that nobody has, nor its neighbours at some distances, and keeps them all for this process and
// its children until it ends: Take gives them to nobody else, in no process, even while no server listens there. A server
// listens there as usual, if it sets SO_REUSEADDR, as servers do. Elsewhere than on Linux they are free for the moment only. Safe
// for concurrent use.
func Take(neighbours ...int) (int, error) {
	for range tries {
		port := first + rand.IntN(last-first)
		ports := []int{port}
		for _, distance := range neighbours {
			ports = append(ports, port+distance)
		}
		if keep(ports...) {
			return port, nil
		}
	}
	return 0, errors.New("no free port found on 127.0.0.1")
}

// Address is Take for one port, as host:port.
func Address() (string, error) {
	port, err := Take()
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)), err
}

// keep keeps all ports, or none.
func keep(ports ...int) bool {
	var releases []func()
	for _, port := range ports {
		release, err := bind(port)
		if err != nil {
			for _, release := range releases {
				release()
			}
			return false
		}
		releases = append(releases, release)
	}
	return true
}
