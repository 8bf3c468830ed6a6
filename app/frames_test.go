package app_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// exchangeOfFrames is what frames of some types are tried with, between sessions on both nodes.
type exchangeOfFrames struct {
	name  string
	types []int
	run   func(s *scene)
}

var exchangesOfFrames = []exchangeOfFrames{
	{"Loop", []int{1, 0, 2, 15, 16, 17}, theLoop},
	{"Hello", []int{33}, hello},
	{"Register", []int{7}, register},
	{"Heartbeat", []int{11, 12, 20}, heartbeat},
	{"Renew", []int{22}, renew},
	{"Presence", []int{23, 24}, watches},
	{"Read", []int{25, 26}, reads},
	{"Signal", []int{27}, signals},
	{"Sync", []int{28, 29}, syncs},
	{"Recall", []int{30, 31}, recallsByFrame},
	{"Error", []int{500}, errorsOfFrames},
	{"Stranger", []int{15, 25, 28, 29, 30, 500}, strangers},
	{"Broadcast", []int{2}, func(s *scene) { s.broadcastOnce(false) }},
	{"BroadcastOnline", []int{2}, func(s *scene) { s.broadcastOnce(true) }},
}

// talk tries the frames.
func (s *site) talk(t *testing.T) {
	for _, e := range exchangesOfFrames {
		t.Run(e.name, func(t *testing.T) {
			scene := s.scene(t)
			e.run(scene)
			for _, kind := range e.types {
				require.Contains(t, scene.frames, fmt.Sprint(kind), "is said to be tried here")
			}
		})
	}
}

// TestFrames tries the frames with the program as it is without any configuration.
func TestFrames(t *testing.T) {
	t.Parallel()
	newSite(t, testConfig(t)).talk(t)
}

// TestFrames_AreAllTried holds what talk tries, and sees going to and fro, against the frames that the protocol's page lists.
func TestFrames_AreAllTried(t *testing.T) {
	page, err := os.ReadFile("../docs/protocol.md")
	require.NoError(t, err)
	table := regexp.MustCompile(`(?s)\n\| type \| name \|[^\n]*\n[^\n]*\n(.*?)\n\n`).FindSubmatch(page)
	require.NotNil(t, table)
	var listed, tried []string
	for _, first := range regexp.MustCompile(`(?m)^\|([^|]*)\|`).FindAllSubmatch(table[1], -1) {
		for _, number := range regexp.MustCompile(`\d+`).FindAll(first[1], -1) {
			listed = append(listed, string(number))
		}
	}
	for _, e := range exchangesOfFrames {
		for _, kind := range e.types {
			if !slices.Contains(tried, fmt.Sprint(kind)) {
				tried = append(tried, fmt.Sprint(kind))
			}
		}
	}
	require.ElementsMatch(t, listed, tried)
}

// send sends a message by frame 1 and returns what frame 0 says of it.
func (k *socket) send(to, message, msgid string) map[string]any {
	k.Helper()
	k.began = time.Now()
	k.write(jsonOf(map[string]any{"type": 1, "params": map[string]any{"toMessageId": k.id(to), "message": message, "msgid": msgid, "fileType": 0}}))
	accepted := k.expect(0)
	require.Equal(k, []any{message, msgid}, []any{accepted["message"], accepted["msgid"]})
	return accepted
}

// none expects that no frame of a type came before the answer to a heartbeat that is sent after a while.
func (k *socket) none(kind int, after time.Duration) {
	k.Helper()
	time.Sleep(after)
	k.alive()
	for _, frame := range k.kept {
		require.NotEqual(k, float64(kind), frame["type"], "%s: %v", k.who, frame)
	}
}

// theLoop is the way of a message there and of the one that answers it back, with a second device of the sender's on the
// other node, which gets the message and the proof as well.
func theLoop(s *scene) {
	ann, phone, ben := s.connect("ann", s.near, "web"), s.connect("ann", s.far, "phone"), s.connect("ben", s.far, "web")
	for i, way := range []struct {
		from, to *socket
		prevSeq  float64 // of what is due to the device, which one's own is not
	}{{ann, ben, 0}, {ben, ann, 0}, {ann, ben, 1}} {
		message, msgid := fmt.Sprint("message ", i), fmt.Sprint("m", i)
		accepted := way.from.send(way.to.who, message, msgid)
		require.Equal(s, []any{float64(i + 1), false}, []any{accepted["seq"], accepted["duplicate"]})
		got := way.to.takes(s.id(way.from.who), message)
		require.Equal(s, []any{msgid, accepted["conversationId"], accepted["seq"], way.prevSeq, false, s.id(way.to.who)},
			[]any{got["msgid"], got["conversationId"], got["seq"], got["prevSeq"], got["redelivered"], got["toUser"].(map[string]any)["openid"]})
		proof := way.from.expect(17)
		require.Equal(s, []any{msgid, accepted["messageId"], s.id(way.to.who), "web"}, []any{proof["msgid"], proof["messageId"], proof["toUser"], proof["device"]})
		s.Logf("%s to %s and back after %v", way.from.who, way.to.who, time.Since(s.began))

		copied := phone.expect(2)
		require.Equal(s, []any{message, s.id(way.from.who)}, []any{copied["message"], copied["fromUser"].(map[string]any)["openid"]})
		phone.write(jsonOf(map[string]any{"type": 15, "params": map[string]any{"conversationId": accepted["conversationId"], "upTo": accepted["seq"]}}))
		require.Equal(s, accepted["seq"], phone.expect(16)["upTo"])
		if way.from == ann {
			require.Equal(s, accepted["messageId"], phone.expect(17)["messageId"])
		}
		again := way.from.send(way.to.who, message, msgid)
		require.Equal(s, []any{true, accepted["messageId"]}, []any{again["duplicate"], again["messageId"]})
	}
	for _, k := range []*socket{ann, ben, phone} {
		k.none(2, 0)
	}
}

// hello is that a session says who it is, and that it takes the place of the same device's on the other node.
func hello(s *scene) {
	first := s.connect("ann", s.far, "web")
	second := s.connect("ann", s.near, "web")
	s.inTime("replaced", s.closed(4409, first))
	second.alive()
	items := s.items("ann", s.far, "/api/v1/sessions")
	require.Len(s, items, 1)
	require.Equal(s, []any{second.session, nodeID(s.near)}, []any{items[0]["sessionId"], items[0]["node"]})
}

// register is how an old client says who it is, and that it goes.
func register(s *scene) {
	ann := s.connect("ann", s.near, "web")
	frame := func(openid, status string) string {
		return jsonOf(map[string]any{"type": 7, "params": map[string]any{"openid": openid, "userName": "x", "loginStatus": status}})
	}
	ann.write(frame(s.id("eve"), "1"))
	require.Equal(s, "identity_mismatch", ann.expect(500)["code"])
	ann.write(frame(s.id("ann"), "1"))
	ann.expect(7)
	s.began = time.Now()
	ann.write(frame(s.id("ann"), "0"))
	s.closed(1000, ann)
	s.inTime("offline", s.since(s.began, func() bool {
		return s.items("ben", s.far, "/api/v1/presence?users="+s.id("ann"))[0]["status"] == "offline"
	}))
}

func heartbeat(s *scene) {
	ann := s.connect("ann", s.near, "web")
	ann.alive()
	ann.write(`{"type":"20"}`)
	for frame := range ann.frames {
		if frame["type"] == "pong" {
			return
		}
	}
	require.Fail(s, "no pong")
}

// renew is that a session goes on under a token that the other node gave out, and ends with that of somebody else.
func renew(s *scene) {
	ann := s.connect("ann", s.near, "web")
	frame := func(token string) string {
		return jsonOf(map[string]any{"type": 22, "params": map[string]any{"token": token}})
	}
	ann.write(frame(s.login("ann")))
	ann.expect(22)
	ann.alive()
	ann.write(frame(s.token("eve")))
	s.closed(4401, ann)
}

// watches is that ann sees ben come and go on the other node.
func watches(s *scene) {
	const linger = 2 * time.Second // presence.linger
	ann := s.connect("ann", s.near, "web")
	ann.write(jsonOf(map[string]any{"type": 23, "params": map[string]any{"users": []string{s.id("ben"), s.id("carl")}}}))
	for _, user := range objects(ann.expect(23)["users"]) {
		require.Equal(s, "offline", user["status"])
	}
	told := func(status string, devices ...any) time.Duration {
		began := s.began
		got := ann.expect(24)
		require.Equal(s, []any{s.id("ben"), status}, []any{got["openid"], got["status"]})
		require.ElementsMatch(s, devices, got["devices"])
		return time.Since(began)
	}
	web := s.connect("ben", s.far, "web")
	s.inTime("told that he is online", told("online", "web"))
	phone := s.connect("ben", s.near, "phone")
	s.inTime("told of a second device", told("online", "web", "phone"))
	s.began = time.Now()
	web.leave()
	s.inTime("told that one is gone, besides the linger,", told("online", "phone")-linger)
	s.began = time.Now()
	phone.leave()
	s.inTime("told that he is offline, besides the linger,", told("offline")-linger)
}

// reads is that a mark reaches the writer and the reader's other device.
func reads(s *scene) {
	ann := s.connect("ann", s.near, "web")
	web, phone := s.connect("ben", s.far, "web"), s.connect("ben", s.near, "phone")
	ann.send("ben", "1", "m1")
	id := ann.send("ben", "2", "m2")["conversationId"]
	web.expect(2)
	s.began = time.Now()
	web.write(jsonOf(map[string]any{"type": 25, "params": map[string]any{"conversationId": id, "seq": 2}}))
	require.EqualValues(s, 2, web.expect(25)["seq"])
	for _, k := range []*socket{ann, phone} {
		got := k.expect(26)
		require.Equal(s, []any{id, 2.0, s.id("ben")}, []any{got["conversationId"], got["seq"], got["user"]})
	}
	s.Logf("read after %v", time.Since(s.began))
	with := s.items("ann", s.near, "/api/v1/conversations?with="+s.id("ben"))[0]
	require.EqualValues(s, 2, with["peerReadSeq"])
}

// signals is that a signal reaches every session, and is kept nowhere.
func signals(s *scene) {
	ann := s.connect("ann", s.near, "web")
	bens := []*socket{s.connect("ben", s.far, "web"), s.connect("ben", s.near, "phone")}
	s.began = time.Now()
	ann.write(jsonOf(map[string]any{"type": 27, "id": 7, "params": map[string]any{"toMessageId": s.id("ben"), "signal": "typing"}}))
	ann.expect(27)
	for _, k := range bens {
		got := k.expect(27)
		require.Equal(s, []any{s.id("ann"), "typing"}, []any{got["fromUser"].(map[string]any)["openid"], got["signal"]})
	}
	s.Logf("signalled after %v", time.Since(s.began))
	s.connect("ben", s.far, "tablet").none(27, 0)
	s.hasNothing("ben")
	for _, k := range bens {
		k.none(27, 0)
	}
}

// syncs is that whoever comes back, on the other node, says what was shown and learns what was delivered meanwhile.
func syncs(s *scene) {
	ann, ben := s.connect("ann", s.near, "web"), s.connect("ben", s.far, "web")
	var ids []any
	var conversation string
	for i, text := range []string{"1", "2", "3"} {
		accepted := ann.send("ben", text, fmt.Sprint("m", i))
		ids, conversation = append(ids, accepted["messageId"]), accepted["conversationId"].(string)
	}
	ann.write(jsonOf(map[string]any{"type": 30, "params": map[string]any{"messageId": ids[2]}}))
	ann.expect(30)
	ann.leave()
	ben.acknowledge(ben.expect(2))
	ben.leave()

	ann = s.connect("ann", s.far, "web")
	ask := jsonOf(map[string]any{"type": 28, "params": map[string]any{"pending": ids}})
	ann.write(ask)
	require.Equal(s, ids[0], ann.expect(17)["messageId"])
	got := ann.expect(29)
	require.Equal(s, []any{[]any{ids[1]}, []any{ids[2]}, false, 1.0}, []any{got["waiting"], got["gone"], got["reset"], got["proofs"]})

	ben = s.connect("ben", s.near, "web")
	ben.write(jsonOf(map[string]any{"type": 28, "params": map[string]any{"conversations": map[string]any{conversation: 2}}}))
	require.EqualValues(s, 1, ben.expect(29)["marks"])
	require.Equal(s, ids[1], ann.expect(17)["messageId"])
	ann.write(ask)
	require.EqualValues(s, 2, ann.expect(29)["proofs"])
}

// recallsByFrame is that who has a message learns that it is recalled, and that only its sender may do that.
func recallsByFrame(s *scene) {
	ann, phone, ben := s.connect("ann", s.near, "web"), s.connect("ann", s.far, "phone"), s.connect("ben", s.far, "web")
	id := ann.send("ben", "1", "m1")["messageId"]
	ben.takes(s.id("ann"), "1")
	frame := jsonOf(map[string]any{"type": 30, "params": map[string]any{"messageId": id}})
	ben.write(frame)
	require.Equal(s, "forbidden", ben.expect(500)["code"])
	s.began = time.Now()
	ann.write(frame)
	require.Equal(s, id, ann.expect(30)["messageId"])
	for _, k := range []*socket{ben, phone} {
		got := k.expect(31)
		require.Equal(s, []any{id, s.id("ann"), 2.0}, []any{got["recalled"], got["by"], got["seq"]})
	}
	s.Logf("recalled after %v", time.Since(s.began))
}

// errorsOfFrames is that a frame which fails says why, by its id, and that the session goes on.
func errorsOfFrames(s *scene) {
	ann := s.connect("ann", s.near, "web")
	for code, frame := range map[string]string{
		"bad_json":      `{`,
		"unknown_type":  `{"type":99}`,
		"missing_field": `{"type":1,"params":{"message":"x"}}`,
		"unknown_user":  `{"type":1,"params":{"toMessageId":"` + s.id("unknown") + `","message":"x","fileType":0}}`,
		"not_addressed": `{"type":15,"params":{"from":"client","msgid":"m1","fromUser":"` + s.id("ben") + `","toUser":"` + s.id("ann") + `"}}`,
	} {
		ann.write(frame)
		got := ann.expect(500)
		require.Equal(s, []any{code, false}, []any{got["code"], got["temporary"]})
	}
	ann.alive()
}

// strangers is that nobody learns of, changes or proves by a frame what others have between them, on whichever node.
func strangers(s *scene) {
	ann, ben := s.connect("ann", s.near, "web"), s.connect("ben", s.far, "web")
	sent := ann.send("ben", "1", "m1")
	got := ben.expect(2)
	conversation, message := sent["conversationId"], sent["messageId"]
	for node, device := range map[string]string{s.near: "web", s.far: "phone"} {
		eve := s.connect("eve", node, device)
		for _, test := range []struct {
			kind   int
			params map[string]any
			code   string
		}{
			{15, map[string]any{"from": "client", "msgid": "m1", "fromUser": s.id("ann"), "toUser": s.id("eve")}, "not_addressed"},
			{15, map[string]any{"from": "client", "msgid": message, "fromUser": s.id("ann"), "toUser": s.id("eve")}, "not_addressed"},
			{15, map[string]any{"conversationId": conversation, "upTo": got["seq"]}, "not_addressed"},
			{25, map[string]any{"conversationId": conversation, "seq": got["seq"]}, "not_member"},
			{30, map[string]any{"messageId": message}, "not_found"},
		} {
			eve.write(jsonOf(map[string]any{"type": test.kind, "params": test.params}))
			require.Equal(s, test.code, eve.expect(500)["code"], "%d %v", test.kind, test.params)
		}
		eve.write(jsonOf(map[string]any{"type": 28, "params": map[string]any{
			"conversations": map[string]any{conversation.(string): got["seq"]}, "pending": []any{message},
		}}))
		answer := eve.expect(29)
		require.Equal(s, []any{[]any{message}, 0.0, 0.0}, []any{answer["gone"], answer["marks"], answer["proofs"]})
	}
	for _, k := range []*socket{ann, ben} {
		for _, kind := range []int{17, 26, 31} {
			k.none(kind, 0)
		}
	}
	ben.acknowledge(got)
	require.Equal(s, []any{message, s.id("ben")}, func() []any { proof := ann.expect(17); return []any{proof["messageId"], proof["toUser"]} }())
}

// broadcastOnce is that a message to everybody reaches each session on both nodes once; who is away gets it later, or,
// if it is for those who are online, never.
func (s *scene) broadcastOnce(onlineOnly bool) {
	var there []*socket
	for _, name := range []string{"ann", "ben", "carl"} {
		there = append(there, s.connect(name, s.near, "web"), s.connect(name, s.far, "phone"))
	}
	there = append(there, s.connect("boss", s.far, "web"))
	body := jsonOf(map[string]any{"message": "all", "msgid": s.id("b"), "onlineOnly": onlineOnly})
	for range 2 { // a repeat changes nothing
		sent := s.must(s.ask("key-admin", s.near, "POST", "/api/v1/broadcast", body))
		require.Zero(s, sent["refused"])
		require.GreaterOrEqual(s, sent["users"], 4.0)
	}
	for _, k := range there {
		k.takes("system:yanlink", "all")
	}
	s.Logf("everybody had it after %v", time.Since(s.began))
	for i, k := range there {
		k.none(2, max(0, time.Duration(1-i)*3*time.Second)) // as long as passes of the reconciler take
	}
	eve := s.connect("eve", s.far, "web")
	if !onlineOnly {
		eve.takes("system:yanlink", "all")
	}
	eve.none(2, 0)
}
