package services

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"github.com/yanlink/yanlink/deploy/freeport"
)

const loopback = "127.0.0.1"

// Spec says what to start.
type Spec struct {
	Kind Kind
	Dir  string // holds the data and the log; made if it is not there
	Port int    // 0: one that is free; a broker takes the neighbours -2 and +1 too

	Namesrv string // of a broker: the address of its name server
	Name    string // of a broker: its group; "broker-a" if empty
	// Announce is the IP at which a broker tells its clients to find it, on its port; 127.0.0.1 if empty. It listens on
	// 127.0.0.1 only: at another one, of loopback too, a proxy can stand before it.
	Announce string
	More     string // of a broker: more lines of its configuration

	life       lifetime // a detached one leaves a pid file
	unfinished bool     // while the data folder is being made
}

// lifetime is how long a process lives.
type lifetime int

const (
	withParent lifetime = iota // ends with the process that started it
	detached                   // stays
)

func (s Spec) address() string { return net.JoinHostPort(loopback, strconv.Itoa(s.Port)) }

func (s Spec) port() string { return strconv.Itoa(s.Port) }

func (s Spec) data() string {
	if s.unfinished {
		return filepath.Join(s.Dir, "data.unfinished")
	}
	return filepath.Join(s.Dir, "data")
}

// temp is the folder of a server that, when it starts, removes the temporary files of all others that have the same.
func (s Spec) temp() string    { return filepath.Join(s.Dir, "tmp") }
func (s Spec) config() string  { return filepath.Join(s.Dir, "config") }
func (s Spec) log() string     { return filepath.Join(s.Dir, "log") }
func (s Spec) pidFile() string { return filepath.Join(s.Dir, "pid") }

// complete checks the spec, makes its folder and picks its port.
func (s Spec) complete() (Spec, error) {
	if _, err := ParseKind(string(s.Kind)); err != nil {
		return s, err
	}
	if s.Dir == "" {
		return s, fmt.Errorf("start %s: a folder is needed", s.Kind)
	}
	var err error
	if s.Dir, err = filepath.Abs(s.Dir); err != nil { // servers change to their data folder
		return s, err
	}
	if err := os.MkdirAll(s.temp(), 0o700); err != nil {
		return s, err
	}
	if s.Port == 0 {
		s.Port, err = freeport.Take(known[s.Kind].neighbours...)
	}
	return s, err
}

func portsFree(port int, neighbours []int) error {
	for _, distance := range append([]int{0}, neighbours...) {
		listener, err := net.Listen("tcp", net.JoinHostPort(loopback, strconv.Itoa(port+distance)))
		if err != nil {
			return err
		}
		if err := listener.Close(); err != nil {
			return err
		}
	}
	return nil
}

const (
	portEvery = 10 * time.Millisecond
	portAfter = time.Second
)

// portsSoonFree is portsFree with a little patience.
func portsSoonFree(port int, neighbours []int) error {
	return patiently(func() error { return portsFree(port, neighbours) })
}

// patiently tries for a moment to have a port: a process that is forked elsewhere in this one has a copy of what listened
// there, until it becomes another program.
func patiently(try func() error) error {
	for deadline := time.Now().Add(portAfter); ; time.Sleep(portEvery) {
		err := try()
		if err == nil || time.Now().After(deadline) {
			return err
		}
	}
}
