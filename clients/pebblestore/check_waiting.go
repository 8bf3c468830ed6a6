package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
)

func (c *checker) scheduled(d *decoder, value []byte) error {
	c.sum.Scheduled++
	due, id := ws.Millis(d.fixed()), d.fixed()
	s, err := decodeScheduled(due, id, value)
	if err != nil || d.bad {
		return corrupt(kindScheduled)
	}
	if id >= c.counters.scheduled {
		c.broken("scheduled message %d was never given out: the next is %d", id, c.counters.scheduled)
	}
	indexed, ok, err := loadScheduled(c.db, id)
	if err != nil {
		return err
	}
	if !ok || indexed.DueAt != due {
		c.broken("scheduled message %d is not found by its id", id)
	}
	if s.Draft.MsgID == "" {
		return nil
	}
	conversation := s.Group
	if conversation == 0 {
		if conversation, _, err = loadName(c.db, ws.Direct, ws.DirectKey(s.Draft.Sender, s.To)); err != nil {
			return err
		}
	}
	v, ok, err := loadDedup(c.db, dedupKey(nil, conversation, s.Draft.Sender, s.Draft.MsgID))
	if err != nil {
		return err
	}
	if !ok || v.state != dedupScheduled || v.n != id {
		c.broken("scheduled message %d of %q has no dedup key that leads to it", id, s.Draft.Sender)
	}
	return nil
}

func (c *checker) due(d *decoder, _ []byte) error {
	id := d.fixed()
	_, ok, err := loadScheduled(c.db, id)
	if err == nil && !ok {
		c.broken("scheduled message %d is named, and not there", id)
	}
	return err
}

func (c *checker) event(d *decoder, value []byte) error {
	c.sum.Events++
	state, id := ws.EventState(d.byte()), d.fixed()
	if _, err := decodeEvent(state, id, value); err != nil || d.bad {
		return corrupt(kindEvent)
	}
	if state != ws.EventPending && state != ws.EventDead && state != ws.EventScheduled {
		c.broken("event %d is in the state %d, which is never stored", id, state)
	}
	if id >= c.counters.event {
		c.broken("event %d was never given out: the next is %d", id, c.counters.event)
	}
	first, _, err := loadEvent(c.db, id)
	if err == nil && first.State != state {
		c.broken("event %d is stored twice", id)
	}
	return err
}

func (c *checker) lease(_ *decoder, value []byte) error {
	_, err := decodeLease(value)
	return err
}
