package pebblestore

import (
	"github.com/yanlink/yanlink/ws"
)

// records is where the checker stands among the records of a conversation.
type records struct {
	id         ws.ConversationID
	next, last uint64
	passed     uint64 // positions that new epochs passed over
}

// follows reports whether the next record, or the end, may be at seq: no position is left out but what new epochs passed over.
func (r *records) follows(seq, epoch uint64) bool {
	gap := seq - r.next
	r.passed += gap
	return seq >= r.next && gap%ws.EpochStep == 0 && r.passed/ws.EpochStep < epoch
}

func (c *checker) record(d *decoder, value []byte) error {
	c.sum.Records++
	id, seq := ws.ConversationID(d.fixed()), d.fixed()
	if id != c.records.id {
		if err := c.beginRecords(id); err != nil {
			return err
		}
	}
	if !c.records.follows(seq, c.sum.Info.Epoch) {
		c.broken("conversation %s: record %d is where %d should be", id, seq, c.records.next)
	}
	c.records.next = seq + 1
	r, err := decodeRecord(id, seq, value)
	if err != nil || d.bad {
		return corrupt(kindRecord)
	}
	if r.Kind < ws.KindMessage || r.Kind > ws.KindDissolved {
		c.broken("record %s is of no known kind", r.ID())
	}
	if err := c.recalled(&r); err != nil {
		return err
	}
	return c.findable(&r)
}

func (c *checker) beginRecords(id ws.ConversationID) error {
	if err := c.endRecords(); err != nil {
		return err
	}
	v, ok, err := c.find(id)
	if err != nil {
		return err
	}
	if !ok {
		c.broken("there are records of conversation %s, which is not there", id)
	}
	c.records = records{id: id, next: max(v.First, 1), last: v.Last}
	return nil
}

// endRecords checks that the records of a conversation went up to its last.
func (c *checker) endRecords() error {
	if r := &c.records; r.id != 0 && !r.follows(r.last+1, c.sum.Info.Epoch) {
		c.broken("conversation %s: its records end at %d, and its last is %d", r.id, r.next-1, r.last)
	}
	c.records = records{}
	return nil
}

// findable checks that the dedup key of a message leads to it.
func (c *checker) findable(r *record) error {
	if r.Kind != ws.KindMessage || r.MsgID == "" {
		return nil
	}
	v, ok, err := loadDedup(c.db, dedupKey(nil, r.Conversation, r.Sender, r.MsgID))
	if err != nil {
		return err
	}
	if !ok || v.state != dedupSent || v.n != r.Seq {
		c.broken("message %s of %q has no dedup key that leads to it", r.ID(), r.Sender)
	}
	return nil
}

// recalled checks that a recalled message is blank and has its recall, and a recall its message.
func (c *checker) recalled(r *record) error {
	if (r.recall != 0) != (r.RecalledAt != 0) {
		c.broken("record %s: when it was recalled does not agree with by what", r.ID())
	}
	if r.recall != 0 {
		if r.Body != "" {
			c.broken("message %s was recalled and still has its body", r.ID())
		}
		by, ok, err := loadRecord(c.db, r.Conversation, r.recall)
		if err != nil {
			return err
		}
		if !ok || by.Kind != ws.KindRecall || by.Target != r.Seq {
			c.broken("message %s was recalled by record %d, which is no recall of it", r.ID(), r.recall)
		}
	}
	if r.Kind != ws.KindRecall {
		return nil
	}
	v, _, err := c.find(r.Conversation)
	if err != nil || r.Target < v.First {
		return err
	}
	target, ok, err := loadRecord(c.db, r.Conversation, r.Target)
	if err != nil {
		return err
	}
	if !ok || target.recall != r.Seq {
		c.broken("record %s recalls %d, which does not say so", r.ID(), r.Target)
	}
	return nil
}

func (c *checker) dedup(d *decoder, value []byte) error {
	c.sum.Dedups++
	id, sender := ws.ConversationID(d.fixed()), d.name()
	msgid := string(d.rest)
	v, err := decodeDedup(value)
	if err != nil || d.bad {
		return corrupt(kindDedup)
	}
	conversation, ok, err := c.find(id)
	if err != nil {
		return err
	}
	if !ok {
		c.broken("there is a dedup key of conversation %s, which is not there", id)
		return nil
	}
	switch v.state {
	case dedupSent:
		return c.sent(conversation, sender, msgid, v.n)
	case dedupScheduled:
		s, ok, err := loadScheduled(c.db, v.n)
		if err != nil {
			return err
		}
		if !ok || s.Draft.Sender != sender || s.Draft.MsgID != msgid {
			c.broken("a dedup key of %q in conversation %s leads to the scheduled message %d, which is another or none", sender, id, v.n)
		}
	}
	return nil
}

// sent checks that a dedup key leads to the message it was made for, unless that is purged.
func (c *checker) sent(v *ws.Conversation, sender, msgid string, seq uint64) error {
	if seq < 1 || seq > v.Last {
		c.broken("a dedup key of %q in conversation %s leads to %d, past its last", sender, v.ID, seq)
		return nil
	}
	if seq < v.First {
		return nil
	}
	r, ok, err := loadRecord(c.db, v.ID, seq)
	if err != nil {
		return err
	}
	if !ok || r.Sender != sender || r.MsgID != msgid {
		c.broken("a dedup key of %q in conversation %s leads to %d, which is another's", sender, v.ID, seq)
	}
	return nil
}
