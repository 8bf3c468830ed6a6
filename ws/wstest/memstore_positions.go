package wstest

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"github.com/yanlink/yanlink/ws"
)

// Positions implements ws.Reader.
func (m *MemStore) Positions(
	ctx context.Context, device ws.DeviceRef, ids []ws.ConversationID,
) (found []ws.Position, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, id := range ids {
			if c := l.conversations[id]; c != nil && len(c.stays[device.User]) > 0 {
				found = append(found, l.position(device, c))
			}
		}
		return nil
	})
	return found, err
}

// Behind implements ws.Reader.
func (m *MemStore) Behind(
	ctx context.Context, device ws.DeviceRef, after ws.ConversationID, limit int,
) (found []ws.Position, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, c := range l.of(device.User) {
			if c.ID > after && len(found) < limit && l.behind(device, c) {
				found = append(found, l.position(device, c))
			}
		}
		return nil
	})
	return found, err
}

// Lagging implements ws.Reader.
func (m *MemStore) Lagging(ctx context.Context, devices []ws.DeviceRef) (found []ws.DeviceRef, err error) {
	err = m.read(ctx, func(l *ledger) error {
		for _, device := range devices {
			if slices.ContainsFunc(l.of(device.User), func(c *conversation) bool { return l.behind(device, c) }) {
				found = append(found, device)
			}
		}
		return nil
	})
	return found, err
}

func (l *ledger) position(device ws.DeviceRef, c *conversation) ws.Position {
	return ws.Position{
		Conversation: c.Conversation,
		Cursor:       l.cursor(device, c),
		Stays:        slices.Clone(c.stays[device.User]),
	}
}

// behind reports whether a record past the device's cursor lies inside a stay of its user.
func (l *ledger) behind(device ws.DeviceRef, c *conversation) bool {
	next := max(l.cursor(device, c).Seq+1, c.First)
	return slices.ContainsFunc(c.stays[device.User], func(stay ws.Stay) bool {
		end := c.Last
		if stay.Left != 0 {
			end = stay.Left
		}
		return max(next, stay.Joined) <= end
	})
}

// ReceiptsAfter implements ws.Reader.
func (m *MemStore) ReceiptsAfter(
	ctx context.Context, device ws.DeviceRef, id ws.ConversationID, seq uint64,
) (found []ws.Receipt, err error) {
	err = m.read(ctx, func(l *ledger) error {
		c := l.conversations[id]
		if c == nil {
			return nil
		}
		runs := c.receipts[device]
		for _, from := range slices.Sorted(maps.Keys(runs)) {
			if runs[from].To > seq {
				found = append(found, runs[from])
			}
		}
		return nil
	})
	return found, err
}

// ReceiptsOf implements ws.Reader.
func (m *MemStore) ReceiptsOf(ctx context.Context, id ws.MessageID) (found []ws.Receipt, err error) {
	err = m.read(ctx, func(l *ledger) error {
		c := l.conversations[id.Conversation]
		if c == nil {
			return nil
		}
		for _, runs := range c.receipts {
			for _, receipt := range runs {
				if receipt.Covers(id.Seq) {
					found = append(found, receipt)
				}
			}
		}
		slices.SortFunc(found, func(a, b ws.Receipt) int {
			return cmp.Or(cmp.Compare(a.User, b.User), cmp.Compare(a.Device, b.Device), cmp.Compare(a.From, b.From))
		})
		return nil
	})
	return found, err
}
