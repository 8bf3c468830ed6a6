// Package freeport finds ports of 127.0.0.1 for servers that tests start, kill and start again.
package freeport

import (
	"errors"
	"math/rand/v2"
	"net"
	"slices"
	"strconv"
	"syscall"
)

// Ports are looked for below those that Linux gives to clients (32768 and up): there a client could take the port of a
// server that is down for a moment.
const (
	first = 10_000
	last  = 30_000
	tries = 100
)

// Take returns a port of 127.0.0.1 that nobody has, nor the ports at the offsets from it, and keeps them all for this
// process and its children until it ends: Take gives them to nobody else, in no process, even while no server listens
// there. Who asks for no offsets gets one port. A server listens there as usual, if it sets SO_REUSEADDR, as servers do.
// Safe for concurrent use.
func Take(offsets ...int) (int, error) {
	for range tries {
		port := first + rand.IntN(last-first)
		if keep(port, offsets) {
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

// keep keeps the port and those at the offsets, or none of them.
func keep(port int, offsets []int) bool {
	sockets := make([]int, 0, 1+len(offsets))
	for _, offset := range append([]int{0}, slices.DeleteFunc(slices.Clone(offsets), isZero)...) {
		socket, err := bind(port + offset)
		if err != nil {
			for _, s := range sockets {
				_ = syscall.Close(s)
			}
			return false
		}
		sockets = append(sockets, socket)
	}
	return true
}

func isZero(offset int) bool { return offset == 0 }

// bind returns a socket that has the port but does not listen. It is bound without SO_REUSEADDR, which fails if anybody
// has the port, another such socket included, and then gets it: from there on those who set it too may listen (Linux,
// socket(7)). The kernel lets go of it when the process ends, however it does.
func bind(port int) (int, error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	err = syscall.Bind(socket, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		err = syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}
	if err != nil {
		_ = syscall.Close(socket)
		return 0, err
	}
	return socket, nil
}
