package redisregistry

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/redis/go-redis/v9"

	"github.com/yanlink/yanlink/ws"
)

// place is where a list goes on: in the index of the node at an address, or of the next one if that node is gone.
type place struct {
	address string
	scan    uint64
}

func placeOf(cursor string) place {
	address, scan, _ := strings.Cut(cursor, "/")
	n, err := strconv.ParseUint(scan, 10, 64)
	if err != nil {
		n = 0
	}
	return place{address, n}
}

func (p place) cursor() string { return p.address + "/" + strconv.FormatUint(p.scan, 10) }

// List implements ws.Routes: it goes through the indexes of the living nodes, one after the other.
func (r *Registry) List(ctx context.Context, cursor string, limit int) (routes []ws.Route, next string, err error) {
	nodes, err := r.Nodes(ctx)
	if err != nil {
		return nil, "", err
	}
	var addresses []string
	for i := range nodes {
		addresses = append(addresses, nodes[i].Address)
	}
	slices.Sort(addresses)
	at := placeOf(cursor)
	for _, address := range addresses {
		if address < at.address {
			continue
		}
		if address != at.address {
			at = place{address: address}
		}
		for more := true; more; more = at.scan != 0 {
			if len(routes) >= limit {
				return routes, at.cursor(), nil
			}
			some, _, err := r.listSome(ctx, &at, limit)
			if err != nil {
				return nil, "", r.failed(err, "list the sessions of the node at %s", address)
			}
			routes = append(routes, some...)
		}
	}
	return routes, "", nil
}

// listSome returns the routes of the next sessions in an index, and the sessions that stand there without one, which are past.
func (r *Registry) listSome(ctx context.Context, at *place, limit int) (routes []ws.Route, past []string, err error) {
	sessions, scan, err := r.client.SScan(ctx, indexKey(at.address), at.scan, "", int64(limit)).Result()
	if err != nil {
		return nil, nil, err
	}
	at.scan = scan
	pipe := r.client.Pipeline()
	replies := make([]*redis.SliceCmd, len(sessions))
	for i, session := range sessions {
		replies[i] = pipe.HMGet(ctx, clientKey(userOf(session, at.address)), session)
	}
	if _, err := pipe.Exec(ctx); err != nil {
		return nil, nil, err
	}
	for i, reply := range replies {
		value, there := reply.Val()[0].(string)
		if !there {
			past = append(past, sessions[i])
		} else if route, ok := decodeRoute(userOf(sessions[i], at.address), sessions[i], value); ok {
			routes = append(routes, route)
		}
	}
	return routes, past, nil
}
