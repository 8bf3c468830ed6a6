package redisregistry

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"github.com/redis/go-redis/v9"
)

// Tickets keeps what belongs to one-use tickets for all nodes, by a ticket's SHA-256. It uses its Registry's connections
// and ends with it.
type Tickets struct{ registry *Registry }

// Tickets returns what is kept of tickets.
func (r *Registry) Tickets() *Tickets { return &Tickets{registry: r} }

func ticketKey(hash [32]byte) string { return "yan_ticket_" + hex.EncodeToString(hash[:]) }

// Put keeps a value for as long.
func (t *Tickets) Put(ctx context.Context, hash [32]byte, value []byte, life time.Duration) error {
	r := t.registry
	if err := r.usable(ctx); err != nil {
		return err
	}
	return r.failed(r.client.Set(ctx, ticketKey(hash), value, life).Err(), "keep a ticket")
}

// Take returns the value and forgets it in the same step: of many who take at once, on any node, one gets it. Nil if
// there is none.
func (t *Tickets) Take(ctx context.Context, hash [32]byte) ([]byte, error) {
	r := t.registry
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	var value *redis.StringCmd
	_, err := r.client.TxPipelined(ctx, func(pipe redis.Pipeliner) error {
		value = pipe.Get(ctx, ticketKey(hash))
		pipe.Del(ctx, ticketKey(hash))
		return nil
	})
	if errors.Is(err, redis.Nil) {
		return nil, nil
	}
	if err != nil {
		return nil, r.failed(err, "take a ticket")
	}
	return value.Bytes()
}
