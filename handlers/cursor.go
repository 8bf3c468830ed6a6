package handlers

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strconv"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// codeBytes is how much of its authentication code a cursor carries.
const codeBytes = 16

// cursors gives out the cursors of one list, and takes them back. A cursor is a place in the list and a code that only the nodes
// of the ledger can make, of the place and the list: one that was changed, made up, or is of another list is refused. It
// gives no right to what is there, which each call asks about.
type cursors struct {
	secret ws.Secret
	list   []string
}

// cursorsOf returns the cursors of a list: the call that asks for it, and whatever else makes it another list.
func (a *API) cursorsOf(list ...string) *cursors { return &cursors{a.engine.Secret(), list} }

// next returns the cursor that goes on at place; an empty place is the end, and has none.
func (l *cursors) next(place string) string {
	if place == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte(place), l.code(place)...))
}

// code proves that a place was given out for this list. Everything goes in as hex digits, so that no two lists and places are
// written alike.
func (l *cursors) code(place string) []byte {
	mac := hmac.New(sha256.New, l.secret[:])
	_, _ = fmt.Fprintf(mac, "cursor %x %x", l.list, place)
	return mac.Sum(nil)[:codeBytes]
}

// place returns where the page begins that a request asks for; empty for the first one. The whole text is compared, since
// base64 has several for the same bytes.
func (l *cursors) place(c *gin.Context) (string, error) {
	given := c.Query("cursor")
	if given == "" {
		return "", nil
	}
	if all, err := base64.RawURLEncoding.DecodeString(given); err == nil && len(all) > codeBytes {
		place := string(all[:len(all)-codeBytes])
		if hmac.Equal([]byte(l.next(place)), []byte(given)) {
			return place, nil
		}
	}
	return "", badCursor()
}

// nextID is next for a list that goes on above an id; 0 is the end.
func (l *cursors) nextID(id uint64) string {
	if id == 0 {
		return ""
	}
	return l.next(strconv.FormatUint(id, 10))
}

// id is place for a list that goes on above an id; 0 for the first page.
func (l *cursors) id(c *gin.Context) (uint64, error) {
	place, err := l.place(c)
	if err != nil || place == "" {
		return 0, err
	}
	id, err := strconv.ParseUint(place, 10, 64)
	if err != nil {
		return 0, badCursor() // another release gave it out
	}
	return id, nil
}

func badCursor() error {
	return protocol.FieldError(protocol.BadField, "cursor", "must be the next of an earlier page")
}
