package app_test

import (
	"fmt"
	"net/http"

	"github.com/stretchr/testify/require"
)

func errandsOfConversations() []errand {
	return []errand{
		{route: "GET /api/v1/conversations", may: people, plan: lists},
		{route: "GET /api/v1/conversations/:id/messages", may: "ann ben key-read " + admins, hidden: "eve", plan: readsHistory},
		{route: "POST /api/v1/conversations/:id/read", may: "ann ben", plan: marksRead},
	}
}

// lists is the plan to list one's conversations: each of ann, ben, eve and the boss has one with carl, written by the
// other node, and nobody sees the one of another.
func lists(s *scene, who string) request {
	talk := make(map[string]any)
	for _, name := range []string{"ann", "ben", "eve"} {
		talk[name] = s.post("carl", s.far, name, "hi "+name, "m1")["conversationId"]
	}
	if who == "boss" {
		s.get("boss", s.far, "/api/v1/me") // and so is known
		talk[who] = s.post("carl", s.far, who, "hi "+who, "m1")["conversationId"]
	}
	return request{path: "/api/v1/conversations", done: func(a answer) {
		all := objects(a.object["items"])
		require.Len(s, all, 1)
		with := s.items(who, s.near, "/api/v1/conversations?with="+s.id("carl"))
		require.Equal(s, all, with)
		one := all[0]
		peer, last := one["peer"].(map[string]any), one["lastMessage"].(map[string]any)
		require.Equal(s, []any{talk[who], "direct", s.id("carl"), "CARL", 1.0, 0.0, 1.0, "hi " + who}, []any{
			one["conversationId"], one["kind"], peer["openid"], peer["userName"], one["lastSeq"], one["readSeq"], one["unread"], last["message"],
		})
		before := s.items(who, s.near, "/api/v1/conversations?with="+s.id(who))
		require.NotContains(s, before[0], "conversationId", "found before the first message too")
	}}
}

// readsHistory is the plan to read what ann and ben wrote to each other on the other node.
func readsHistory(s *scene, who string) request {
	var path string
	for i, from := range []string{"ann", "ben", "ann"} {
		to := map[string]string{"ann": "ben", "ben": "ann"}[from]
		path = "/api/v1/conversations/" + s.post(from, s.far, to, fmt.Sprint(i+1), "")["conversationId"].(string) + "/messages"
	}
	texts := func(items []map[string]any) (list string) {
		for _, item := range items {
			list += item["message"].(string)
		}
		return list
	}
	return request{path: path + "?limit=2", done: func(a answer) {
		newest := objects(a.object["items"])
		require.Equal(s, "32", texts(newest), "newest first")
		require.Equal(s, s.id("ben"), newest[1]["from"].(map[string]any)["openid"])
		next := a.object["next"].(string)
		require.Equal(s, "1", texts(s.items(who, s.far, path+"?limit=2&cursor="+next)), "the other node goes on")
		s.refusesChanged(who, path+"?limit=2", next)
		require.Equal(s, "123", texts(s.items(who, s.near, path+"?after=0")), "oldest first")
		require.Equal(s, "1", texts(s.items(who, s.near, path+"?before=2")))
	}}
}

// marksRead is the plan to mark as read what ann and ben wrote to each other.
func marksRead(s *scene, who string) request {
	id := s.post("ann", s.near, "ben", "1", "m1")["conversationId"].(string)
	s.post("ben", s.near, "ann", "2", "m2")
	ann, ben := s.connect("ann", s.far, "web"), s.connect("ben", s.far, "web")
	marks := func() []any {
		with := func(name, peer string) any {
			return s.items(name, s.far, "/api/v1/conversations?with="+s.id(peer))[0]["readSeq"]
		}
		return []any{with("ann", "ben"), with("ben", "ann")}
	}
	return request{
		path: "/api/v1/conversations/" + id + "/read", body: `{"seq":2}`,
		done: func(a answer) {
			require.Equal(s, map[string]any{"conversationId": id, "readSeq": 2.0}, a.object)
			for _, k := range []*socket{ann, ben} {
				told := k.expect(26)
				require.Equal(s, []any{id, 2.0, s.id(who)}, []any{told["conversationId"], told["seq"], told["user"]})
			}
			want := map[string][]any{"ann": {2.0, 0.0}, "ben": {0.0, 2.0}}[who]
			require.Equal(s, want, marks())
			require.Equal(s, http.StatusBadRequest, s.ask(who, s.far, http.MethodPost, "/api/v1/conversations/"+id+"/read", `{"seq":3}`).status, "past the end")
		},
		undone: func() { require.Equal(s, []any{0.0, 0.0}, marks()) },
	}
}
