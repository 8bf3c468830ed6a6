package sso

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// maxTickets is how many a TicketMemory keeps, used ones whose time is not over included.
const maxTickets = 1 << 16

// TicketMemory is the TicketStore of a node that is alone.
type TicketMemory struct {
	clock ws.Clock

	mu     sync.Mutex
	values map[[32]byte]keptTicket
	due    []dueTicket // in the order in which they were put, which is that of their ends where all live as long
}

type keptTicket struct {
	value []byte
	until time.Time
}

type dueTicket struct {
	hash  [32]byte
	until time.Time
}

var _ TicketStore = (*TicketMemory)(nil)

var errManyTickets = errors.New("too many tickets are out")

// NewTicketMemory returns an empty one; a nil clock is time.Now.
func NewTicketMemory(clock ws.Clock) *TicketMemory {
	if clock == nil {
		clock = time.Now
	}
	return &TicketMemory{clock: clock, values: make(map[[32]byte]keptTicket)}
}

// Put implements TicketStore. It fails while too many are kept.
func (m *TicketMemory) Put(_ context.Context, hash [32]byte, value []byte, life time.Duration) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.clock()
	for len(m.due) > 0 && !now.Before(m.due[0].until) {
		delete(m.values, m.due[0].hash)
		m.due = m.due[1:]
	}
	if len(m.due) >= maxTickets {
		return errManyTickets
	}
	until := now.Add(life)
	m.values[hash] = keptTicket{value, until}
	m.due = append(m.due, dueTicket{hash, until})
	return nil
}

// Take implements TicketStore.
func (m *TicketMemory) Take(_ context.Context, hash [32]byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	kept, ok := m.values[hash]
	delete(m.values, hash)
	if !ok || !m.clock().Before(kept.until) {
		return nil, nil
	}
	return kept.value, nil
}
