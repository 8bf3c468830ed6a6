package redisregistry

import (
	"context"
	"crypto/rand"
	"fmt"
	"time"

	"github.com/yanlink/yanlink/ws"
)

// lockFor is how long one reaper keeps the others out: what it has not done by then, the next one goes on with.
const lockFor = 2 * time.Second

// Reap implements ws.Nodes. Where nobody is dead, it takes one round trip.
func (r *Registry) Reap(ctx context.Context) (gone []ws.Route, err error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	fallen, err := r.fallen(ctx)
	if err != nil || len(fallen) == 0 {
		return nil, r.failed(err, "look for dead nodes")
	}
	// From here on, since the lock may be taken before we know of it.
	ctx, cancel := context.WithTimeout(ctx, lockFor)
	defer cancel()
	unlock, ok, err := r.lock(ctx)
	if err != nil || !ok {
		return nil, r.failed(err, "take the reapers' lock")
	}
	defer unlock()
	for _, l := range fallen {
		routes, err := r.clear(ctx, l)
		gone = append(gone, routes...)
		if err != nil {
			return gone, r.failed(err, "remove the routes of the dead node at %s", l.address)
		}
	}
	return gone, nil
}

// fallen marks dead nodes and returns all whose routes wait to be removed.
func (r *Registry) fallen(ctx context.Context) (list []life, err error) {
	answer, err := r.one(ctx, fallenScript, serversKey, r.opt.NodeTTL.Milliseconds()).Slice()
	if err != nil {
		return nil, err
	}
	for _, entry := range answer {
		fields, ok := entry.([]any)
		if !ok || len(fields) != 5 {
			return nil, fmt.Errorf("unexpected answer %v", entry)
		}
		numbers, err := integers(fields[2:4], 2)
		if err != nil {
			return nil, err
		}
		list = append(list, life{
			address: fmt.Sprint(fields[0]), node: fmt.Sprint(fields[4]), incarnation: fmt.Sprint(fields[1]), joined: numbers[0], gone: numbers[1] == 1,
		})
	}
	return list, nil
}

// lock takes the reapers' lock, or reports that another one has it.
func (r *Registry) lock(ctx context.Context) (unlock func(), ok bool, err error) {
	token := rand.Text()
	ok, err = r.client.SetNX(ctx, lockKey, token, lockFor).Result()
	if err != nil || !ok {
		return nil, false, err
	}
	return func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), r.opt.Timeout)
		defer cancel()
		_ = r.one(ctx, unlockScript, lockKey, token).Err() // else it ends by itself
	}, true, nil
}
