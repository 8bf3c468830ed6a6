package child

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports are looked for below those that Linux gives to clients (32768 and up): there a client could take the port of a
// server that is dead for a moment.
const (
	firstPort = 10_000
	lastPort  = 20_000
	portTries = 100
)

// FreeAddress finds a port of 127.0.0.1 that is free now; every start of the server takes it again.
func FreeAddress() (string, error) {
	for range portTries {
		address := fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(lastPort-firstPort))
		l, err := net.Listen("tcp", address)
		if err == nil {
			return address, l.Close()
		}
	}
	return "", errors.New("no free port found on 127.0.0.1")
}
