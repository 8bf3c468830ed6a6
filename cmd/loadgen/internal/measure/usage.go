package measure

import (
	"errors"
	"runtime"
	"time"
)

// Usage is what was spent between two moments.
type Usage struct {
	Wall     time.Duration `json:"wall_ns"`
	Server   time.Duration `json:"server_cpu_ns"`             // of several, together
	Services time.Duration `json:"services_cpu_ns,omitempty"` // what the servers use: database, registry, broker; or a bad neighbour
	Own      time.Duration `json:"own_cpu_ns"`                // the load generator
	Foreign  time.Duration `json:"foreign_cpu_ns"`            // every other process of the machine
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
	return Usage{u.Wall + v.Wall, u.Server + v.Server, u.Services + v.Services, u.Own + v.Own, u.Foreign + v.Foreign}
}

// Meter reads usage from one moment on.
type Meter struct {
	servers, services []int
	at                time.Time
	before            spent
}

// spent is what was used so far.
type spent struct{ servers, services, own, busy time.Duration }

// NewMeter begins to measure the servers that are processes, and the services that these use. No server means that it
// cannot be known, and reads as nothing.
func NewMeter(servers, services []int) (*Meter, error) {
	m := &Meter{servers: servers, services: services}
	var err error
	m.before, err = m.read()
	m.at = time.Now()
	return m, err
}

// Usage returns what was spent since the meter began.
func (m *Meter) Usage() (Usage, error) {
	now, err := m.read()
	u := Usage{
		Wall: time.Since(m.at), Own: now.own - m.before.own,
		Server: now.servers - m.before.servers, Services: now.services - m.before.services,
	}
	if len(m.servers) > 0 {
		// The kernel counts ticks of different clocks here and there, so a small negative rest is nothing.
		u.Foreign = max(0, now.busy-m.before.busy-u.Server-u.Services-u.Own)
	}
	return u, err
}

func (m *Meter) read() (spent, error) {
	servers, errServers := sum(m.servers, CPU)
	services, errServices := sum(m.services, CPUWithChildren)
	own, errOwn := OwnCPU()
	busy, errBusy := BusyCPU()
	return spent{servers, services, own, busy}, errors.Join(errServers, errServices, errOwn, errBusy)
}

func sum(pids []int, cpu func(pid int) (time.Duration, error)) (total time.Duration, err error) {
	for _, pid := range pids {
		used, err := cpu(pid)
		if err != nil {
			return total, err
		}
		total += used
	}
	return total, nil
}
