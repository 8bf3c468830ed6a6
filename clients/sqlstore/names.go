package sqlstore

import (
	"cmp"
	"context"
	"maps"
	"slices"
)

// resolve finds the numbers of the conversations that the plan names. It takes no part in the batch's transaction: a
// name that has a number keeps it.
func (s *Store) resolve(ctx context.Context, p *plan) error {
	var keys tuples
	for name, id := range p.names {
		if id != 0 {
			continue
		}
		if known, ok := s.names.Get(name); ok {
			p.names[name] = known
		} else {
			keys.add(int64(name.kind), name.key)
		}
	}
	return keys.chunks(func(part tuples) error {
		query, args := s.dialect.pick(conversations, conversationKey, part, false)
		rows, err := s.db.QueryContext(ctx, query, args...)
		return each(rows, err, s.learn(p))
	})
}

// learn notes the number of a conversation that was read.
func (s *Store) learn(p *plan) func(rows scanner) error {
	return func(rows scanner) error {
		c, err := scanConversation(rows)
		name := nameRef{c.Kind, c.Key}
		p.names[name] = c.ID
		s.names.Add(name, c.ID)
		return err
	}
}

// reserve gives names a number, in a transaction of its own: so the rows are there for batches to lock, in their order.
// Two nodes that want the same name agree, as they take numbers one after the other.
func (s *Store) reserve(ctx context.Context, p *plan, w *writer) error {
	wanted := slices.SortedFunc(maps.Keys(p.reserve), func(a, b nameRef) int { return cmp.Or(cmp.Compare(a.kind, b.kind), cmp.Compare(a.key, b.key)) })
	clear(p.reserve)
	return s.from(ctx, w, func(tx *transaction) error {
		next, err := tx.take("conversation", 0)
		if err != nil {
			return err
		}
		var keys, rows tuples
		for _, name := range wanted {
			keys.add(int64(name.kind), name.key)
		}
		if err := tx.pick(conversations, conversationKey, &keys, false, s.learn(p)); err != nil {
			return err
		}
		given := next
		for _, name := range wanted {
			if p.names[name] == 0 {
				rows.add(int64(given), int64(name.kind), name.key, "", int64(1), int64(0), int64(0), int64(0), int64(0))
				given++
			}
		}
		if err := tx.put(conversations, &rows, fail); err != nil {
			return err
		}
		_, err = tx.take("conversation", given-next)
		return err
	})
}

// within runs fn in a transaction, again while the server asks for that.
func (s *Store) within(ctx context.Context, fn func(tx *transaction) error) error {
	return s.again(ctx, func() error {
		tx, err := s.begin(ctx)
		if err != nil {
			return err
		}
		defer tx.rollbackOnPanic()
		if err := fn(tx); err != nil {
			_ = tx.Rollback() // the first error counts
			return err
		}
		return tx.Commit(ctx)
	})
}

// take takes n numbers from a counter, which stays locked until the transaction ends, and returns the first of them.
func (tx *transaction) take(counter string, n uint64) (first uint64, err error) {
	err = tx.query(func(rows scanner) error { return rows.Scan(number(&first)) },
		tx.dialect.bind("SELECT next_id FROM yanlink_counters WHERE name = ? FOR UPDATE"), []byte(counter))
	if err != nil || n == 0 {
		return first, err
	}
	return first, tx.exec(tx.dialect.bind("UPDATE yanlink_counters SET next_id = next_id + ? WHERE name = ?"), int64(n), []byte(counter))
}

// numbers are ids for scheduled messages that this store took and has not given yet.
type numbers struct {
	mu   chan struct{} // holds one token
	left []uint64
}

func newNumbers() numbers {
	n := numbers{mu: make(chan struct{}, 1)}
	n.mu <- struct{}{}
	return n
}

// numbersTaken is how many are taken at least.
const numbersTaken = 64

// give returns n ids that nobody had before.
func (s *Store) give(ctx context.Context, n int, w *writer) ([]uint64, error) {
	if n == 0 {
		return nil, nil
	}
	select {
	case <-s.numbers.mu:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { s.numbers.mu <- struct{}{} }()
	if lack := n - len(s.numbers.left); lack > 0 {
		lack = max(lack, numbersTaken)
		var first uint64
		err := s.from(ctx, w, func(tx *transaction) (err error) {
			first, err = tx.take("scheduled", uint64(lack))
			return err
		})
		if err != nil {
			return nil, err
		}
		for i := range uint64(lack) {
			s.numbers.left = append(s.numbers.left, first+i)
		}
	}
	given := slices.Clone(s.numbers.left[:n])
	s.numbers.left = s.numbers.left[n:]
	return given, nil
}
