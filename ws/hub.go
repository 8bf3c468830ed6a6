package ws

import (
	"hash/maphash"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
)

const hubShards = 64

// hub knows the live sessions of this node by user. It is safe for concurrent use; a shard's lock is held only to copy
// or replace a slice, and slices are never changed in place.
type hub struct {
	limits paceLimits
	seed   maphash.Seed
	shards [hubShards]hubShard
	count  atomic.Int64
}

type hubShard struct {
	sync.RWMutex
	users map[string][]*Session
	paces paces // of devices without a session
}

func newHub(limits paceLimits) *hub {
	h := &hub{limits: limits, seed: maphash.MakeSeed()}
	for i := range h.shards {
		h.shards[i].users = make(map[string][]*Session)
		h.shards[i].paces = make(paces)
	}
	return h
}

func (h *hub) shard(user string) *hubShard {
	return &h.shards[maphash.String(h.seed, user)%hubShards]
}

// sessions returns the user's live sessions. The slice must not be changed.
func (h *hub) sessions(user string) []*Session {
	shard := h.shard(user)
	shard.RLock()
	defer shard.RUnlock()
	return shard.users[user]
}

// add enters s and gives it its device's pace. Of two sessions of one device the one with the higher epoch stays: add
// returns the one that has to go, which may be s itself, or nil.
func (h *hub) add(s *Session) (replaced *Session) {
	shard := h.shard(s.user)
	shard.Lock()
	defer shard.Unlock()
	old := shard.users[s.user]
	next := make([]*Session, 0, len(old)+1)
	for _, other := range old {
		if other.device != s.device {
			next = append(next, other)
			continue
		}
		s.pace = other.pace
		if other.epoch > s.epoch {
			return s
		}
		replaced = other
	}
	shard.users[s.user] = append(next, s)
	if replaced == nil {
		h.count.Add(1)
		s.pace = h.paceOf(shard, s)
	}
	return replaced
}

// paceOf returns the pace of a device that had no session: what it left with, or a new one.
func (h *hub) paceOf(shard *hubShard, s *Session) pace {
	if left, known := shard.paces[DeviceRef{s.user, s.device}]; known {
		return left
	}
	return h.limits.pace()
}

// remove takes s out, and keeps its device's pace; it reports whether s was still in.
func (h *hub) remove(s *Session) bool {
	shard := h.shard(s.user)
	shard.Lock()
	defer shard.Unlock()
	old := shard.users[s.user]
	for i, other := range old {
		if other != s {
			continue
		}
		if len(old) == 1 {
			delete(shard.users, s.user)
		} else {
			next := make([]*Session, 0, len(old)-1)
			shard.users[s.user] = append(append(next, old[:i]...), old[i+1:]...)
		}
		h.count.Add(-1)
		shard.paces.keep(DeviceRef{s.user, s.device}, s.pace)
		return true
	}
	return false
}

// users returns up to limit users with a live session in their order, those after cursor; next is empty at the end.
func (h *hub) users(cursor string, limit int) (users []string, next string) {
	for i := range h.shards {
		shard := &h.shards[i]
		shard.RLock()
		for user := range shard.users {
			if user > cursor {
				users = append(users, user)
			}
		}
		shard.RUnlock()
	}
	slices.Sort(users)
	if len(users) > limit {
		users = users[:limit]
		next = users[limit-1]
	}
	return users, next
}

// everybody returns every user with a live session.
func (h *hub) everybody() []string {
	users := make([]string, 0, h.count.Load())
	for i := range h.shards {
		shard := &h.shards[i]
		shard.RLock()
		users = slices.AppendSeq(users, maps.Keys(shard.users))
		shard.RUnlock()
	}
	return users
}

// all returns every live session.
func (h *hub) all() []*Session {
	list := make([]*Session, 0, h.count.Load())
	for i := range h.shards {
		shard := &h.shards[i]
		shard.RLock()
		for _, sessions := range shard.users {
			list = append(list, sessions...)
		}
		shard.RUnlock()
	}
	return list
}
