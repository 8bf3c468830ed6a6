package handlers_test

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// pages are what the boss asks for first of lists that have more.
type pages struct {
	*door
	lists []string
}

// openPages opens a door with two of everything that is listed. Two that are opened list the same.
func openPages(t *testing.T) *pages {
	d := openDoor(t, nil)
	talk := func(from, to string) string {
		d.posted(from, to, "one", "")
		return d.posted(from, to, "two", "")["conversationId"].(string)
	}
	first, second := talk("boss", "ann"), talk("boss", "ben")
	d.connect("ann", "web")
	d.connect("ben", "web")
	for range 2 {
		d.dead("a") // and one that is pending
	}
	return &pages{door: d, lists: []string{
		"conversations?limit=1",
		"conversations/" + first + "/messages?limit=1",
		"conversations/" + second + "/messages?limit=1",
		"presence/online?limit=1",
		"outbox?limit=1&state=dead",
		"outbox?limit=1&state=pending",
	}}
}

func (p *pages) ask(list, cursor string) answer {
	p.t.Helper()
	return p.get("boss", "/api/v1/"+list+"&cursor="+url.QueryEscape(cursor))
}

// next is the cursor of the second page of a list.
func (p *pages) next(list string) string {
	p.t.Helper()
	next, _ := p.ask(list, "").object["next"].(string)
	require.NotEmpty(p.t, next, list)
	require.NotEmpty(p.t, p.ask(list, next).items(), list)
	return next
}

func (p *pages) refuses(list, cursor, why string) {
	p.t.Helper()
	a := p.ask(list, cursor)
	require.Equal(p.t, http.StatusBadRequest, a.status, "%s, %s, %q", list, why, cursor)
	a.refused(p.t, 400, "bad_field", "cursor")
	require.Contains(p.t, a.text, "must be the next of an earlier page")
}

func TestCursor_OfAnotherList(t *testing.T) {
	p, elsewhere := openPages(t), openPages(t)
	for i, list := range p.lists {
		for j, other := range p.lists {
			if i != j {
				p.refuses(list, p.next(other), "the cursor of "+other)
			}
		}
		p.refuses(list, elsewhere.next(list), "another ledger's")
	}
}

func TestCursor_Changed(t *testing.T) {
	p := openPages(t)
	for _, list := range p.lists {
		next := p.next(list)
		for why, cursor := range changes(t, next) {
			p.refuses(list, cursor, why)
		}
	}
}

// changes are all that differ from a cursor a little.
func changes(t *testing.T, cursor string) map[string]string {
	all, err := base64.RawURLEncoding.DecodeString(cursor)
	require.NoError(t, err)
	place := all[:len(all)-16]
	changed := map[string]string{
		"without a code": base64.RawURLEncoding.EncodeToString(place), "the code alone": base64.RawURLEncoding.EncodeToString(all[len(place):]),
		"an empty code":   base64.RawURLEncoding.EncodeToString(append(place[:len(place):len(place)], make([]byte, 16)...)),
		"with a line end": cursor + "\n", "with a line end within": cursor[:4] + "\r\n" + cursor[4:], "padded": base64.URLEncoding.EncodeToString(all) + "=",
		"longer": cursor + "A", "twice": cursor + cursor, "nothing in base64": "*", "a zero byte": "\x00",
	}
	for n := range all {
		for bit := range 8 {
			all[n] ^= 1 << bit
			changed[fmt.Sprintf("bit %d of byte %d", bit, n)] = base64.RawURLEncoding.EncodeToString(all)
			all[n] ^= 1 << bit
		}
	}
	for n := 1; n < len(cursor); n++ {
		changed[fmt.Sprintf("cut after %d", n)] = cursor[:n]
	}
	// The last letter may have bits that say nothing.
	for _, letter := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		if other := cursor[:len(cursor)-1] + string(letter); other != cursor {
			changed["ends with "+string(letter)] = other
		}
	}
	return changed
}

// What a client could make itself, as cursors once were.
func TestCursor_MadeUp(t *testing.T) {
	p := openPages(t)
	plain := []string{
		"0", "1", "2", "a1", "b2", "b0", "a", "b-1", "a18446744073709551615", "0000000000000002", base64.RawURLEncoding.EncodeToString([]byte("ann")),
		base64.RawURLEncoding.EncodeToString([]byte("127.0.0.1:8084/0")), strings.Repeat("A", 22), strings.Repeat("A", 40),
	}
	for _, list := range p.lists {
		for _, cursor := range plain {
			p.refuses(list, cursor, "made up")
		}
	}
}

// A cursor is a place, not a permission: whoever comes by another one's sees what is theirs.
func TestCursor_OfSomebodyElse(t *testing.T) {
	d := openDoor(t, nil)
	first := d.posted("ann", "ben", "one", "")
	d.posted("ann", "ben", "two", "")
	d.posted("ann", "eve", "three", "")
	next := d.get("ann", "/api/v1/conversations?limit=1").object["next"].(string)
	require.NotEmpty(t, next)
	require.Empty(t, d.get("boss", "/api/v1/conversations?cursor="+next).items())
	for _, item := range d.get("eve", "/api/v1/conversations?cursor="+next).items() {
		require.Equal(t, "ann", item["peer"].(map[string]any)["openid"])
		require.Equal(t, "three", item["lastMessage"].(map[string]any)["message"])
	}
	history := "/api/v1/conversations/" + first["conversationId"].(string) + "/messages?limit=1"
	next = d.get("ann", history).object["next"].(string)
	require.Equal(t, "one", d.get("ben", history+"&cursor="+next).items()[0]["message"])
	d.get("eve", history+"&cursor="+next).refused(t, 404, "not_found", "")
}
