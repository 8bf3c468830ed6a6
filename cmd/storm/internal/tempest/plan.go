// Package tempest is the storm itself: who takes part, when something goes wrong, and when it is over.
package tempest

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/client"
	"github.com/yanlink/yanlink/cmd/storm/internal/history"
)

// Settings are the size of a storm.
type Settings struct {
	Clients  int           // users; half as many pairs
	Messages int           // in all
	Over     time.Duration // how long the messages are spread over; 0: as fast as it goes
	Seed     uint64
	Settle   time.Duration // how long, without anything new, to wait for what is missing in the end
}

// participant is a device and when it joins: a second device may come when the storm is on.
type participant struct {
	device *client.Device
	after  int // messages accepted
}

// secondEvery is how often a user has a second device.
const secondEvery = 5

// habits draws how a device behaves. The first ones take the styles in turn, so that none is missing from a small storm.
func (s *Settings) habits(r *rand.Rand, n int) client.Habits {
	h := client.Habits{
		V1:         n%4 != 3,
		Ack:        client.AckStyle(n % int(client.AckStyles)),
		InFlight:   []int{1, 1, 4, 16}[r.IntN(4)],
		Burst:      []int{1, 4, 30}[r.IntN(3)],
		ForgetAcks: r.IntN(2) == 0,
		RESTShare:  0.05,
		Repeats:    0.02,
		Recalls:    0.03,
		CrossShare: 0.15,
	}
	if r.IntN(3) > 0 {
		h.DropEvery = time.Duration(1+r.IntN(8)) * time.Second
	}
	if !h.V1 && (h.Ack == client.AckThrough || h.Ack == client.AckMarks) {
		h.Ack = client.AckEach // old clients know no other
	}
	if each := s.Messages / max(1, s.Clients); each > 0 {
		h.Pause = s.Over * time.Duration(1+h.Burst) / 2 / time.Duration(each)
	}
	return h
}

// openID names the n-th user.
func (s *Settings) openID(n int) string { return fmt.Sprintf("u%02d", n) }

// peers are whom the n-th user writes to: the other one of the pair first, then two neighbours.
func (s *Settings) peers(n int) []string {
	peers := []string{s.openID(n ^ 1)}
	for _, step := range []int{2, 3} {
		if other := (n + step) % s.Clients; other != n && other != n^1 {
			peers = append(peers, s.openID(other))
		}
	}
	return peers
}

// participants makes all devices. login returns a token for an openid.
func (s *Settings) participants(base client.Config, login func(openID string) (string, error)) ([]participant, error) {
	r := rand.New(rand.NewPCG(s.Seed, 1))
	var list []participant
	add := func(user int, name, token string, after int) {
		c := base
		c.Device = history.Device{User: s.openID(user), Name: name}
		c.Token, c.Peers = token, s.peers(user)
		c.Habits = s.habits(r, len(list))
		c.Seed = r.Uint64()
		list = append(list, participant{device: client.New(c), after: after})
	}
	for user := range s.Clients {
		token, err := login(s.openID(user))
		if err != nil {
			return nil, err
		}
		add(user, "web", token, 0)
		if user%secondEvery == 0 {
			// Every other second device comes in the middle of the storm.
			add(user, "phone", token, user/secondEvery%2*s.Messages/3)
		}
	}
	return list, nil
}
