package ws

import (
	"sync"
	"time"
)

const (
	maxZombies  = 10_000
	zombieFirst = time.Second
	zombieLast  = time.Minute
	zombieFade  = 10 * time.Minute
)

// zombies remembers which devices were closed with 4410, so that each time they are told to stay away longer. What it
// forgets costs nothing but a shorter wait. It is safe for concurrent use.
type zombies struct {
	now func() Millis
	mu  sync.Mutex
	ago map[DeviceRef]zombie
}

type zombie struct {
	wait time.Duration
	at   Millis
}

func newZombies(now func() Millis) *zombies {
	return &zombies{now: now, ago: make(map[DeviceRef]zombie)}
}

// next returns how long the device is to stay away this time.
func (z *zombies) next(device DeviceRef) time.Duration {
	z.mu.Lock()
	defer z.mu.Unlock()
	now := z.now()
	last, known := z.ago[device]
	wait := zombieFirst
	if known && now-last.at < millis(zombieFade) {
		wait = min(2*last.wait, zombieLast)
	}
	if len(z.ago) >= maxZombies {
		clear(z.ago)
	}
	z.ago[device] = zombie{wait: wait, at: now}
	return wait
}
