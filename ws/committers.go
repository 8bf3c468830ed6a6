package ws

import (
	"hash/maphash"
	"sync"
)

// committers are what writes to the ledger: one where it writes best alone, several where it is a server that takes
// commits side by side. What is about one conversation always goes to the same one, so that it is committed in the order
// it was submitted.
type committers []*committer

var shardSeed = maphash.MakeSeed()

func newCommitters(g *Gateway) committers {
	list := make(committers, g.opt.Committers)
	for i := range list {
		list[i] = &committer{
			store: g.store, opt: &g.opt, now: g.now, wake: make(chan struct{}, 1),
			dispatch: func(batch []item) { g.dispatcher.queue <- batch },
		}
	}
	return list
}

// submit queues an item; see committer.submit.
func (c committers) submit(it item) error {
	if len(c) == 1 {
		return c[0].submit(it)
	}
	return c[shard(it.op())%uint64(len(c))].submit(it)
}

// shard returns a number that is the same for ops that must stay in order. Sends go by the pair of users, as the
// conversation is not known yet; what follows a send, its acknowledgements, is submitted once that is committed.
func shard(op Op) uint64 {
	switch op := op.(type) {
	case *Send:
		return shardOfMessage(op.To, op.Group, op.Record.Sender)
	case *Schedule:
		return shardOfMessage(op.Scheduled.To, op.Scheduled.Group, op.Scheduled.Draft.Sender)
	case *FireScheduled:
		return shardOfMessage(op.Sent.To, op.Sent.Group, op.Sent.Record.Sender)
	case *Ack:
		return uint64(op.Conversation)
	case *OpenDevice:
		return hashOf(op.User)
	case *SeenDevice:
		return hashOf(op.User)
	case *DropDevice:
		return hashOf(op.User)
	case *AcceptToken:
		return hashOf(op.Token.OpenID)
	case *Recall:
		return uint64(op.Record.Conversation)
	case *Change:
		return uint64(op.Conversation)
	case *MarkRead:
		return uint64(op.Conversation)
	}
	return 0
}

func shardOfMessage(to string, group ConversationID, sender string) uint64 {
	if group != 0 {
		return uint64(group)
	}
	return hashOf(to) + hashOf(sender)
}

func hashOf(s string) uint64 { return maphash.String(shardSeed, s) }

// run commits until stop was called and everything queued is done.
func (c committers) run() {
	var running sync.WaitGroup
	for _, one := range c {
		running.Go(one.run)
	}
	running.Wait()
}

func (c committers) stop() {
	for _, one := range c {
		one.stop()
	}
}

// depth returns how many items wait.
func (c committers) depth() (n int) {
	for _, one := range c {
		n += one.depth()
	}
	return n
}

// refusing reports whether the last commit of any was refused.
func (c committers) refusing() bool {
	for _, one := range c {
		if one.refusing() {
			return true
		}
	}
	return false
}
