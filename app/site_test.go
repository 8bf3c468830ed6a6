package app_test

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
)

// promised is within which time other nodes see kicks, bans, revocations and who is there. A test fails for ten times that.
const promised = time.Second

// site is where the program runs, with its own development SSO. What is asked of near has to be seen at far, which is
// another node where there are two.
type site struct {
	near, far string
	sink      *sink
	scenes    int
}

// newSite starts the program once for each configuration.
func newSite(t *testing.T, configurations ...*configs.Config) *site {
	t.Helper()
	s := &site{sink: &sink{full: make(map[string]bool), taken: make(map[string]int)}}
	for i, cfg := range configurations {
		for scope, key := range serviceKeys {
			cfg.Auth.ServiceKeys = append(cfg.Auth.ServiceKeys, configs.ServiceKey{Name: scope, Key: key, Scopes: []string{strings.TrimPrefix(scope, "key-")}})
		}
		cfg.Events.MaxAttempts = 1
		cfg.Limits.RefusalsPerSecondPerIP = 0 // one address tries all that is refused
		server, _ := newServer(t, cfg, app.WithEventSink(s.sink))
		s.far = strings.TrimSuffix(server.URL(), "/")
		if i == 0 {
			s.near = s.far
		}
	}
	for _, node := range []string{s.near, s.far} {
		require.Eventually(t, func() bool {
			_, text := call(t, http.MethodGet, node+"/readyz", "", "")
			return strings.Contains(text, `"status":"ok"`)
		}, time.Minute, 20*time.Millisecond)
	}
	return s
}

// nodeID is the name of a node, which it has of its address where it was given no other.
func nodeID(base string) string {
	return strings.NewReplacer("http://", "", ".", "-", ":", "-").Replace(base)
}

// serviceKeys are one for each scope.
var serviceKeys = map[string]string{"key-send": "the-key-that-sends", "key-read": "the-key-that-reads", "key-admin": "the-key-that-may-all"}

// sink takes the events for other systems, but not those about messages of people for whom it is full.
type sink struct {
	mu    sync.Mutex
	full  map[string]bool
	taken map[string]int // by sender
}

func (k *sink) Send(_ context.Context, _, _ string, payload []byte) error {
	var event struct{ From string }
	if err := json.Unmarshal(payload, &event); err != nil {
		return err
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.full[event.From] {
		return errors.New("full")
	}
	k.taken[event.From]++
	return nil
}

func (k *sink) setFull(sender string, full bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.full[sender] = full
}

func (k *sink) takenOf(sender string) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.taken[sender]
}
