package app_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/docs/openapitest"
)

// scene is a place of its own in a site: the people in it are in no other scene, and all are known.
type scene struct {
	*testing.T
	*site
	number int
	tokens map[string]string // by name
	began  time.Time         // when the last request was made
	opened *socket           // of a request that is a handshake
	frames map[string]bool   // the types that were sent, or expected and came
}

func (s *site) scene(t *testing.T) *scene {
	t.Helper()
	s.scenes++
	sc := &scene{T: t, site: s, number: s.scenes, tokens: make(map[string]string), frames: make(map[string]bool)}
	for _, name := range []string{"ann", "ben", "carl", "eve"} {
		sc.must(sc.ask("key-admin", s.near, http.MethodPut, "/api/v1/users/"+sc.id(name), `{"userName":"`+strings.ToUpper(name)+`"}`))
	}
	return sc
}

// id is the openid of somebody in this scene.
func (s *scene) id(name string) string { return fmt.Sprintf("%s-%d", name, s.number) }

// token is what somebody shows; it is asked for once, of the node that is far.
func (s *scene) token(name string) string {
	s.Helper()
	if s.tokens[name] == "" {
		s.tokens[name] = s.login(name)
	}
	return s.tokens[name]
}

// login returns a new token. The boss has the role of an administrator.
func (s *scene) login(name string) string {
	s.Helper()
	who := map[string]any{"openid": s.id(name), "userName": strings.ToUpper(name)}
	if name == "boss" {
		who["roles"] = []string{"staff", "admin"}
	}
	status, text := call(s.T, http.MethodPost, s.far+"/dev/login", "", jsonOf(who))
	require.Equal(s, 200, status, text)
	var answer struct{ Token string }
	require.NoError(s, json.Unmarshal([]byte(text), &answer))
	return answer.Token
}

// credentials are the token and the headers by which somebody shows who they are.
func (s *scene) credentials(who string) (token string, header []string) {
	s.Helper()
	switch {
	case who == nobody:
		return "", nil
	case who == strange:
		return "a-token-of-nobody", nil
	case who == strangeKey:
		return "", []string{"X-API-Key", "a-key-of-nobody"}
	case serviceKeys[who] != "":
		return "", []string{"X-API-Key", serviceKeys[who]}
	}
	return s.token(who), nil
}

// answer is any answer to a request.
type answer struct {
	status int
	text   string
	object map[string]any // what is JSON
}

// ask makes a request of a node. Both it and the answer have to be as the API description has them.
func (s *scene) ask(who, node, method, path, body string, header ...string) answer {
	s.Helper()
	token, more := s.credentials(who)
	s.began = time.Now()
	response, text := exchange(s.T, method, node+path, token, body, append(header, more...)...)
	if described(method, path) {
		openapitest.Exchange(s.T, path, []byte(body), response, []byte(text))
	}
	return s.answerOf(response, text)
}

func (s *scene) answerOf(response *http.Response, text string) answer {
	s.Helper()
	a := answer{status: response.StatusCode, text: text}
	if strings.HasPrefix(response.Header.Get("Content-Type"), "application/json") && text != "" {
		require.NoError(s, json.Unmarshal([]byte(text), &a.object), text)
	}
	return a
}

// described reports whether docs/openapi.yaml says what an answer holds: for pages, files and the development SSO it does
// not.
func described(method, path string) bool {
	return method != http.MethodOptions && (strings.HasPrefix(path, "/api/v1/") || strings.HasPrefix(path, "/rocketmq/") || path == "/healthz" || path == "/readyz")
}

// must returns what an answer holds, which has to be one of success.
func (s *scene) must(a answer) map[string]any {
	s.Helper()
	require.Equal(s, http.StatusOK, a.status, a.text)
	return a.object
}

// get asks for something that has to be there.
func (s *scene) get(who, node, path string) map[string]any {
	s.Helper()
	return s.must(s.ask(who, node, http.MethodGet, path, ""))
}

// items are those of a list.
func (s *scene) items(who, node, path string) []map[string]any {
	s.Helper()
	return objects(s.get(who, node, path)["items"])
}

func objects(list any) (all []map[string]any) {
	for _, item := range list.([]any) {
		all = append(all, item.(map[string]any))
	}
	return all
}

// post sends a message to carl or whoever to is, at a node, and returns what became of it.
func (s *scene) post(from, node, to, message, msgid string) map[string]any {
	s.Helper()
	body := jsonOf(map[string]any{"to": s.id(to), "message": message, "msgid": msgid})
	result := objects(s.must(s.ask(from, node, http.MethodPost, "/api/v1/messages", body))["results"])[0]
	require.Equal(s, "accepted", result["status"])
	return result
}

// refusesChanged expects that no node takes back a cursor of a list that was changed, cut short or made up, and none takes it
// for one of another list.
func (s *scene) refusesChanged(who, path, cursor string) {
	s.Helper()
	require.NotEmpty(s, cursor)
	refused := func(node, path, cursor string) {
		a := s.ask(who, node, http.MethodGet, path+"&cursor="+cursor, "")
		detail, _ := a.object["error"].(map[string]any)
		require.Equal(s, []any{http.StatusBadRequest, "bad_field", "cursor"}, []any{a.status, detail["code"], detail["field"]}, "%s: %s", path, a.text)
	}
	for _, node := range []string{s.near, s.far} {
		for _, wrong := range []string{"A" + cursor[1:], cursor[:len(cursor)-1], "a1", "MTI3LjAuMC4xOjgwODQvMA"} {
			refused(node, path, wrong)
		}
		if among(admins, who) {
			refused(node, "/api/v1/outbox?limit=1", cursor)
		}
	}
}

// since waits until something is so, and returns how long that took since began.
func (s *scene) since(began time.Time, is func() bool) time.Duration {
	s.Helper()
	require.Eventually(s, is, patience, 5*time.Millisecond)
	return time.Since(began)
}

// closed waits until sessions have ended with a code, and returns how long that took since the last request.
func (s *scene) closed(code int, sockets ...*socket) time.Duration {
	s.Helper()
	began := s.began
	for _, k := range sockets {
		for range k.frames {
		}
		require.Equal(s, code, k.code)
	}
	return time.Since(began)
}

// inTime holds what was promised to be seen within a second.
func (s *scene) inTime(what string, took time.Duration) {
	s.Helper()
	s.Logf("%s after %v", what, took.Round(time.Millisecond))
	require.Less(s, took, 10*promised, what)
}

func jsonOf(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // maps of texts and numbers
	}
	return string(text)
}
