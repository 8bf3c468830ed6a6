package measure

import (
	"errors"
	"runtime"
	"time"
)

// Usage is what was spent between two moments.
type Usage struct {
	Wall    time.Duration `json:"wall_ns"`
	Server  time.Duration `json:"server_cpu_ns"`
	Own     time.Duration `json:"own_cpu_ns"`     // the load generator
	Foreign time.Duration `json:"foreign_cpu_ns"` // every other process of the machine
}

// Share returns spent as a part of everything the machine could have spent.
func (u Usage) Share(spent time.Duration) float64 {
	capacity := u.Wall.Seconds() * float64(runtime.NumCPU())
	if capacity == 0 {
		return 0
	}
	return spent.Seconds() / capacity
}

// Add returns the sum of two usages.
func (u Usage) Add(v Usage) Usage {
	return Usage{u.Wall + v.Wall, u.Server + v.Server, u.Own + v.Own, u.Foreign + v.Foreign}
}

// Meter reads usage from one moment on.
type Meter struct {
	pid               int
	at                time.Time
	server, own, busy time.Duration
}

// NewMeter begins to measure the server that is process pid; 0 means that it cannot be known, and reads as nothing.
func NewMeter(pid int) (*Meter, error) {
	m := &Meter{pid: pid}
	var err error
	m.server, m.own, m.busy, err = m.read()
	m.at = time.Now()
	return m, err
}

// Usage returns what was spent since the meter began.
func (m *Meter) Usage() (Usage, error) {
	server, own, busy, err := m.read()
	u := Usage{Wall: time.Since(m.at), Server: server - m.server, Own: own - m.own}
	// The kernel counts ticks of different clocks here and there, so a small negative rest is nothing.
	u.Foreign = max(0, busy-m.busy-u.Server-u.Own)
	if m.pid == 0 {
		u.Foreign = 0
	}
	return u, err
}

func (m *Meter) read() (server, own, busy time.Duration, err error) {
	var errServer, errOwn, errBusy error
	if m.pid != 0 {
		server, errServer = CPU(m.pid)
	}
	own, errOwn = OwnCPU()
	busy, errBusy = BusyCPU()
	return server, own, busy, errors.Join(errServer, errOwn, errBusy)
}
