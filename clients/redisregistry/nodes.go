package redisregistry

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/redis/go-redis/v9"

	"github.com/yanlink/yanlink/ws"
)

// Beat implements ws.Nodes.
func (r *Registry) Beat(ctx context.Context, node ws.Node) (joined bool, err error) {
	if err := r.usable(ctx); err != nil {
		return false, err
	}
	draining := 0
	if node.Draining {
		draining = 1
	}
	answer, err := r.one(ctx, beatScript, serversKey, node.Address, node.ID, node.Incarnation, node.Connections, draining,
		r.opt.NodeTTL.Milliseconds(), r.seen.Load(), lifetime.Milliseconds()).Slice()
	if err != nil {
		return false, r.failed(err, "say that node %s lives", node.ID)
	}
	if len(answer) == 2 {
		return false, &ws.NodeTakenError{ID: fmt.Sprint(answer[0]), Address: fmt.Sprint(answer[1])}
	}
	numbers, err := integers(answer, 3)
	if err != nil {
		return false, r.failed(err, "say that node %s lives", node.ID)
	}
	// A node that joined again and was not told so sees it by when that was.
	before := r.joined.Swap(numbers[1])
	joined = numbers[0] == 1 || before != 0 && before != numbers[1]
	r.seen.Store(numbers[2])
	return joined || r.renew(ctx, node.Connections), nil
}

// integers returns the numbers that a script answers with.
func integers(answer []any, n int) ([]int64, error) {
	numbers := make([]int64, 0, n)
	for _, value := range answer {
		if number, ok := value.(int64); ok {
			numbers = append(numbers, number)
		}
	}
	if len(answer) != n || len(numbers) != n {
		return nil, fmt.Errorf("unexpected answer %v", answer)
	}
	return numbers, nil
}

// Leave implements ws.Nodes.
func (r *Registry) Leave(ctx context.Context, node ws.Node) error {
	if err := r.usable(ctx); err != nil {
		return err
	}
	joined, err := r.one(ctx, leaveScript, serversKey, node.Address, node.Incarnation).Int64()
	if errors.Is(err, redis.Nil) {
		return nil
	}
	if err == nil {
		_, err = r.clear(ctx, life{address: node.Address, node: node.ID, incarnation: fmt.Sprint(node.Incarnation), joined: joined, gone: true})
	}
	return r.failed(err, "take node %s out", node.ID)
}

// Nodes implements ws.Nodes.
func (r *Registry) Nodes(ctx context.Context) (nodes []ws.Node, err error) {
	if err := r.usable(ctx); err != nil {
		return nil, err
	}
	living, err := r.one(ctx, nodesScript, serversKey, r.opt.NodeTTL.Milliseconds()).StringSlice()
	if err != nil {
		return nil, r.failed(err, "list the nodes")
	}
	for pair := range slices.Chunk(living, 2) {
		if node, ok := decodeNode(pair[0], pair[1]); ok {
			nodes = append(nodes, node)
		}
	}
	slices.SortFunc(nodes, func(a, b ws.Node) int { return cmp.Compare(a.ID, b.ID) })
	return nodes, nil
}
