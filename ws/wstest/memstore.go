package wstest

import (
	"context"
	"sync"

	"github.com/yanlink/yanlink/ws"
)

// MemStore is a ledger in memory: the plainest implementation of ws.Store there is, which other stores are compared
// with, and a fake whose faults (see faults.go) show how the engine behaves when the ledger does not.
// It is safe for concurrent use and forgets everything with the process.
type MemStore struct {
	faults faults
	secret ws.Secret
	commit sync.Mutex // one commit at a time, so that a held one is not overtaken

	mu      sync.RWMutex
	ledger  *ledger
	batches int
	closed  bool
}

var _ ws.Store = (*MemStore)(nil)

// NewMemStore returns an empty ledger.
func NewMemStore() *MemStore { return &MemStore{secret: ws.NewSecret(), ledger: newLedger()} }

// Commit implements ws.Committer.
func (m *MemStore) Commit(ctx context.Context, ops []ws.Op) error {
	m.commit.Lock()
	defer m.commit.Unlock()
	if m.isClosed() {
		return ws.ErrUnavailable
	}
	before, after, err := m.faults.await(ctx)
	if err != nil {
		return err
	}
	if before != nil {
		return before
	}
	if err := m.apply(ops); err != nil {
		return err
	}
	return after
}

func (m *MemStore) apply(ops []ws.Op) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		return ws.ErrUnavailable
	}
	m.batches++
	b := batch{ledger: m.ledger}
	for _, op := range ops {
		op.Result().Err = b.apply(op)
	}
	return nil
}

// Batches returns how many commits were applied.
func (m *MemStore) Batches() int {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.batches
}

// Info implements ws.Store.
func (m *MemStore) Info() ws.LedgerInfo { return ws.LedgerInfo{Format: 1, Epoch: 1} }

// Secret implements ws.Store.
func (m *MemStore) Secret() ws.Secret { return m.secret }

// Close implements ws.Store.
func (m *MemStore) Close() error {
	m.faults.end()
	m.commit.Lock()
	defer m.commit.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.closed = true
	return nil
}

func (m *MemStore) isClosed() bool {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.closed
}

// read runs f on the ledger, unless a fault or the end of the store forbids it.
func (m *MemStore) read(ctx context.Context, f func(l *ledger) error) error {
	if err := m.faults.read(ctx); err != nil {
		return err
	}
	m.mu.RLock()
	defer m.mu.RUnlock()
	if m.closed {
		return ws.ErrUnavailable
	}
	return f(m.ledger)
}
