package nacos

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

const (
	defaultGroup   = "DEFAULT_GROUP"
	defaultTimeout = 3 * time.Second
	// defaultBeat is what Nacos's own clients have; the server holds an instance for unhealthy after 15 s of silence, and
	// forgets it after 30 s.
	defaultBeat = 5 * time.Second
)

// Server says where Nacos is. Addrs is required.
type Server struct {
	Addrs     []string // <host>:<port> of each server; the next one is asked where one does not answer
	Namespace string   // its id; empty for the public one
	Group     string   // empty for DEFAULT_GROUP
	Username  string   // empty for none
	Password  string
	Timeout   time.Duration // of each call to one server; 0: 3 s
}

func (s *Server) complete() error {
	if len(s.Addrs) == 0 {
		return errors.New("nacos: no address of a server is given")
	}
	for _, addr := range s.Addrs {
		if _, _, err := split(addr); err != nil {
			return fmt.Errorf("nacos: %q is not <host>:<port>", addr)
		}
	}
	if s.Group == "" {
		s.Group = defaultGroup
	}
	if s.Timeout == 0 {
		s.Timeout = defaultTimeout
	}
	return nil
}

// Instance is what is announced. Service and Address are required.
type Instance struct {
	Service  string
	Address  string            // the node's <ip>:<port>
	Metadata map[string]string // not to be changed afterwards
	Beat     time.Duration     // how often it gives a sign of life; 0: 5 s

	ip   string
	port int
}

func (i *Instance) complete() error {
	if i.Service == "" {
		return errors.New("nacos: the service's name is missing")
	}
	var err error
	if i.ip, i.port, err = split(i.Address); err != nil {
		return fmt.Errorf("nacos: the node's address %q is not <ip>:<port>", i.Address)
	}
	if i.Beat == 0 {
		i.Beat = defaultBeat
	}
	return nil
}

func split(addr string) (host string, port int, err error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, err
	}
	number, err := strconv.ParseUint(text, 10, 16)
	if err == nil && number == 0 {
		err = errors.New("port 0 is none")
	}
	return host, int(number), err
}
