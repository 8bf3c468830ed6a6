// Package world is what a storm blows over: one node with its own ledger, or a cluster on real services.
package world

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/yanlink/yanlink/cmd/storm/internal/child"
	"github.com/yanlink/yanlink/cmd/storm/internal/fault"
)

// deadAtMost is how long a single node is dead at most.
const deadAtMost = 500 * time.Millisecond

// Single is one node that keeps everything to itself.
type Single struct {
	*child.Server
	kills int
}

// NewSingle prepares the server's binary to run in dir and to be killed so many times.
func NewSingle(bin, dir string, kills int) (*Single, error) {
	server, err := child.New(bin, dir)
	return &Single{Server: server, kills: kills}, err
}

// Nodes returns the URL of the node.
func (s *Single) Nodes() []string { return []string{s.URL()} }

// Series is one kill after the other.
func (s *Single) Series(r *rand.Rand) []fault.Series {
	var kills fault.Series
	for range s.kills {
		kills = append(kills, fault.One(fault.KillNode(1, s), time.Duration(r.Int64N(int64(deadAtMost)))))
	}
	return []fault.Series{kills}
}

// Login gets a token from the development SSO. It is signed, not stored, so it outlives the server's deaths.
func (s *Single) Login(ctx context.Context, openID string) (string, error) {
	body, err := json.Marshal(map[string]string{"openid": openID, "userName": nameOf(openID)})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL()+"/dev/login", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", fmt.Errorf("log %s in: %w", openID, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("log %s in: %s, no token in the answer", openID, resp.Status)
	}
	return answer.Token, nil
}

func nameOf(openID string) string { return "Name of " + openID }
