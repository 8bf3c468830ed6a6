package ws

const (
	// messageBatch is how many conversations are looked through at a time.
	messageBatch = 500

	// purgeRecords and purgeBytes are how much one commit removes at most, so that what waits behind it does not wait long.
	purgeRecords = 500
	purgeBytes   = 1 << 20

	// retentionLease is the name of the lease of whoever removes messages.
	retentionLease = "retention"
)

// messagePass removes the messages that are older than MessageRetention: of each conversation its oldest, up to the first
// that is young enough. Of a cluster one node does, which the lease of each part says.
type messagePass struct {
	g      *Gateway
	after  ConversationID
	purged int
}

func newMessagePass(g *Gateway) *retention {
	return newRetention(g, "messages", g.opt.MessageRetention, (&messagePass{g: g}).look)
}

func (p *messagePass) look() (done bool, err error) {
	if err := p.lease(); err != nil {
		return false, err
	}
	ctx, cancel := p.g.readContext()
	defer cancel()
	if err := p.g.checkClock(ctx); err != nil { // what a wrong clock removes is gone
		return false, err
	}
	list, err := p.g.store.Conversations(ctx, p.after, messageBatch)
	if err != nil {
		return false, err
	}
	before := p.g.now() - millis(p.g.opt.MessageRetention)
	for i := range list {
		p.after = list[i].ID // also if it fails: others do not wait for its next turn
		if err := p.purge(&list[i], before); err != nil {
			return false, err
		}
	}
	if len(list) == messageBatch {
		return false, nil
	}
	if p.purged > 0 {
		p.g.log.Info("messages older than retention.messages were removed", "messages", p.purged)
	}
	p.after, p.purged = 0, 0
	return true, nil
}

// lease makes this node the one that removes messages until the next part is due. It returns errElsewhere where another one is.
func (p *messagePass) lease() error {
	if p.g.cluster == nil {
		return nil
	}
	now := p.g.now()
	op := &TakeLease{Name: retentionLease, Holder: p.g.opt.NodeID, At: now, Until: now + 3*millis(retentionStep)}
	err := p.g.aside(op)
	if op.Err != nil {
		return errElsewhere
	}
	return err
}

// purge removes the messages of a conversation that were sent before a time.
func (p *messagePass) purge(c *Conversation, before Millis) error {
	for first := c.First; first <= c.Last; {
		old, more, err := p.oldest(c.ID, first, before)
		if err != nil || len(old) == 0 {
			return err
		}
		first = old[len(old)-1].Seq + 1
		if err := p.g.aside(&Purge{Conversation: c.ID, First: first}); err != nil {
			return err
		}
		p.purged += len(old)
		if !more {
			return nil
		}
	}
	return nil
}

// oldest returns the first records from a position on that are older than a time, and whether there may be more. It looks at
// one before it reads many: mostly that is young enough.
func (p *messagePass) oldest(id ConversationID, from uint64, before Millis) (old []*Record, more bool, err error) {
	ctx, cancel := p.g.readContext()
	defer cancel()
	for _, count := range []int{1, purgeRecords} {
		page, err := p.g.store.Page(ctx, id, from, 0, count, purgeBytes)
		if err != nil {
			return nil, false, err
		}
		old = page
		for i, rec := range page {
			if rec.CreatedAt >= before {
				return page[:i], false, nil
			}
		}
	}
	return old, len(old) > 0, nil
}
