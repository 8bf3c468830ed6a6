package app_test

import (
	"net/http"

	"github.com/stretchr/testify/require"
)

func errandsOfOperators() []errand {
	return []errand{
		{route: "GET /api/v1/nodes", may: admins, plan: listsNodes},
		{route: "GET /api/v1/outbox", may: admins, plan: listsDeadEvents},
		{route: "POST /api/v1/outbox/:id/replay", may: admins, plan: replays},
	}
}

func listsNodes(s *scene, _ string) request {
	s.connect("ann", s.far, "web")
	return request{path: "/api/v1/nodes", done: func(a answer) {
		items := objects(a.object["items"])
		var ids []any
		for _, node := range items {
			ids = append(ids, node["id"])
			require.Equal(s, false, node["draining"])
		}
		want := []any{nodeID(s.near)}
		if s.far != s.near {
			want = append(want, nodeID(s.far))
		}
		require.ElementsMatch(s, want, ids)
	}}
}

// deadEvent makes an event that cannot be published, of a message of ann's, and returns it once it was given up.
func (s *scene) deadEvent() map[string]any {
	s.Helper()
	s.sink.setFull(s.id("ann"), true)
	sent := s.post("ann", s.far, "ben", "hi", "m1")
	s.since(s.began, func() bool { return s.dead(sent["messageId"]) != nil })
	return s.dead(sent["messageId"])
}

// dead returns the event about a message that the outbox, as the other node shows it, has given up; nil if there is none.
func (s *scene) dead(messageID any) map[string]any {
	s.Helper()
	for path := "/api/v1/outbox?state=dead"; ; {
		page := s.get("key-admin", s.far, path)
		for _, item := range objects(page["items"]) {
			if item["event"].(map[string]any)["messageId"] == messageID {
				return item
			}
		}
		if page["next"] == "" {
			return nil
		}
		path = "/api/v1/outbox?state=dead&cursor=" + page["next"].(string)
	}
}

func listsDeadEvents(s *scene, _ string) request {
	event := s.deadEvent()
	return request{path: "/api/v1/outbox", done: func(a answer) {
		require.Contains(s, objects(a.object["items"]), event)
		require.Equal(s, []any{"yan-message", "dead", 1.0}, []any{event["topic"], event["state"], event["attempts"]})
	}}
}

// replays is the plan to have a dead event published, now that it can be.
func replays(s *scene, _ string) request {
	event := s.deadEvent()
	messageID := event["event"].(map[string]any)["messageId"]
	s.sink.setFull(s.id("ann"), false)
	return request{
		path: "/api/v1/outbox/" + event["id"].(string) + "/replay",
		done: func(a answer) {
			require.Equal(s, map[string]any{"id": event["id"], "state": "pending"}, a.object)
			s.Logf("published after %v", s.since(s.began, func() bool { return s.sink.takenOf(s.id("ann")) == 1 }))
			require.Nil(s, s.dead(messageID))
			s.since(s.began, func() bool { // until its publication is written down it is pending
				again := s.ask("key-admin", s.near, http.MethodPost, "/api/v1/outbox/"+event["id"].(string)+"/replay", "")
				return again.status == http.StatusNotFound
			})
		},
		undone: func() {
			require.NotNil(s, s.dead(messageID))
			require.Zero(s, s.sink.takenOf(s.id("ann")))
		},
	}
}
