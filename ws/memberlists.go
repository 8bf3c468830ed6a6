package ws

import (
	"context"
	"slices"
)

// listedMost is how many members are remembered, in all groups together; beyond it all of them are forgotten.
const listedMost = 1 << 18

// memberLists remembers who is in the groups that the fast pass came across, so that it asks once for each change, and not for
// each group in each pass. It is not safe for concurrent use.
type memberLists struct {
	lists  map[ConversationID]memberList
	listed int
}

// memberList is who the members are at one version of a conversation, or later.
type memberList struct {
	version uint64
	users   []string
}

// of returns the members of a group when head was read or later, and those who have left it since it was asked last: they are to
// learn that.
func (l *memberLists) of(ctx context.Context, store Reader, head Head) ([]string, error) {
	list, known := l.lists[head.Conversation]
	if known && list.version == head.MembersVersion {
		return list.users, nil
	}
	stays, err := store.Members(ctx, head.Conversation)
	if err != nil {
		return nil, err
	}
	users := make([]string, len(stays))
	for i := range stays {
		users[i] = stays[i].User
	}
	l.listed += len(users) - len(list.users)
	if l.lists == nil || l.listed > listedMost {
		l.lists, l.listed = make(map[ConversationID]memberList), len(users)
	}
	l.lists[head.Conversation] = memberList{head.MembersVersion, users}
	return slices.Concat(users, list.users), nil
}

func (l *memberLists) forget() { *l = memberLists{} }
