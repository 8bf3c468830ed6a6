package app_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// Who asks without being anybody: with nothing, with a token and with a service key that nobody gave out.
const (
	nobody     = "nobody"
	strange    = "strange-token"
	strangeKey = "strange-key"
)

// everybody is each kind of identity there is: those, ann, whom each errand concerns, ben, with whom she talks, a user
// whom it does not concern, the scopes of a service key, and an administrator by role.
var everybody = []string{nobody, strange, strangeKey, "ann", "ben", "eve", "key-send", "key-read", "key-admin", "boss"}

const (
	people  = "ann ben eve boss"
	admins  = "key-admin boss"
	anybody = nobody + " " + strange + " " + strangeKey + " " + people + " key-send key-read key-admin"
)

// errand is what one row of the table of routes is tried with.
type errand struct {
	route  string
	may    string // who of everybody is served
	hidden string // to whom of the others it is not there; it is forbidden to the rest
	plan   func(s *scene, who string) request
}

// request is what somebody asks of the node that is near.
type request struct {
	admin      bool // asked on the address for operators
	path, body string
	header     []string       // besides the credentials
	done       func(a answer) // sees, on the node that is far, that what was asked for has happened
	undone     func()         // sees that nothing has happened; nil where nothing could
}

func (e *errand) method() string {
	method, _, _ := strings.Cut(e.route, " ")
	return method
}

func (e *errand) serves(who string) bool { return among(e.may, who) }

func among(list, who string) bool { return slices.Contains(strings.Split(list, " "), who) }

// refusal is the status and code for somebody who may not.
func (e *errand) refusal(who string) (status int, codes []string) {
	switch {
	case who == nobody || who == strange || who == strangeKey:
		return http.StatusUnauthorized, []string{"unauthorized"}
	case among(e.hidden, who):
		return http.StatusNotFound, []string{"not_found"}
	}
	return http.StatusForbidden, []string{"forbidden", "not_member"}
}

// errands are all there are to do: of each route at least one.
func errands() []errand {
	return slices.Concat(errandsOfMessages(), errandsOfConversations(), errandsOfPresence(), errandsOfPeople(), errandsOfOperators(), errandsOfAnybody())
}

// walk tries each errand as everybody.
func (s *site) walk(t *testing.T, errands []errand) {
	for _, e := range errands {
		t.Run(strings.ReplaceAll(e.route, "/", "."), func(t *testing.T) {
			for _, who := range everybody {
				t.Run(who, func(t *testing.T) { s.scene(t).try(&e, who) })
			}
		})
	}
}

// try tries an errand as somebody.
func (s *scene) try(e *errand, who string) {
	r := e.plan(s, who)
	a := s.tryOnce(e, who, &r)
	if e.serves(who) {
		require.Contains(s, []int{http.StatusOK, http.StatusNoContent, http.StatusSwitchingProtocols}, a.status, a.text)
		r.done(a)
		return
	}
	status, codes := e.refusal(who)
	require.Equal(s, status, a.status, a.text)
	require.Len(s, a.object, 1, a.text)
	require.Contains(s, codes, a.object["error"].(map[string]any)["code"], a.text)
	if r.undone != nil {
		r.undone()
	}
}

// tryOnce makes the request, or for the endpoint of sockets a handshake.
func (s *scene) tryOnce(e *errand, who string, r *request) answer {
	if r.admin {
		return s.ask(who, s.admin, e.method(), r.path, r.body, r.header...)
	}
	if !strings.HasPrefix(r.path, "/ws") {
		return s.ask(who, s.near, e.method(), r.path, r.body, r.header...)
	}
	opened, a := s.handshake(who, s.near, r.path)
	s.opened = opened
	return a
}

// TestTable walks the routes of the program as it is without any configuration.
func TestTable(t *testing.T) {
	t.Parallel()
	site := newSite(t, testConfig(t))
	site.walk(t, errands())
	site.walk(t, slices.Concat(errandsOfAdmin(), errandsOfServerAdmin()))
}

// TestTable_Mounted walks the routes of a bundle in an application.
func TestTable_Mounted(t *testing.T) {
	t.Parallel()
	site := newMounted(t)
	site.walk(t, errands())
	site.walk(t, errandsOfAdmin())
}
