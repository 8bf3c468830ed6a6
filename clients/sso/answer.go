package sso

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// Fields are the paths, joined by dots, at which an answer is read: from its top, then below "data". An empty path
// finds nothing.
type Fields struct {
	OpenID, UserName, Roles, IssuedAt, ExpiresAt, ExpiresIn string
}

// lastYear is when the year 9999 is over, in epoch seconds: a larger number counts as milliseconds, and what comes after
// it has no end.
const lastYear = 253_402_300_800

// read turns the body of a 200 into an identity, or an error that wraps ws.ErrInvalidToken if the body refuses the token.
func (f *Fields) read(body []byte, now time.Time) (ws.Identity, error) {
	var answer map[string]any
	decoder := json.NewDecoder(bytes.NewReader(body))
	decoder.UseNumber()
	if err := decoder.Decode(&answer); err != nil || answer == nil {
		return ws.Identity{}, errors.New("its answer is no JSON object")
	}
	if err := refusal(answer); err != nil {
		return ws.Identity{}, err
	}
	identity := ws.Identity{
		OpenID:    text(find(answer, f.OpenID)),
		Name:      text(find(answer, f.UserName)),
		Roles:     list(find(answer, f.Roles)),
		IssuedAt:  endOfSecond(moment(find(answer, f.IssuedAt))),
		ExpiresAt: moment(find(answer, f.ExpiresAt)),
	}
	if identity.OpenID == "" {
		return ws.Identity{}, fmt.Errorf("its answer has no openid at %q; see sso.fields", f.OpenID)
	}
	if !protocol.ValidOpenID(identity.OpenID) {
		return ws.Identity{}, fmt.Errorf("%w: its openid is longer than 128 bytes or has a comma or a control character", ws.ErrInvalidToken)
	}
	if seconds, ok := number(find(answer, f.ExpiresIn)); ok && identity.ExpiresAt.IsZero() {
		identity.ExpiresAt = epoch(float64(now.UnixMilli()) + seconds*1000)
	}
	if !identity.ExpiresAt.IsZero() && !identity.ExpiresAt.After(now) {
		return ws.Identity{}, fmt.Errorf("%w: it has ended", ws.ErrInvalidToken)
	}
	return identity, nil
}

// refusal looks for services that answer everything with 200 and put what they mean into the body. A code of the
// server's own trouble, or one that is none, says nothing about the token.
func refusal(answer map[string]any) error {
	for _, name := range []string{"statusCode", "code"} {
		given := answer[name]
		if given == nil {
			continue
		}
		code := text(given)
		switch n, counts := number(given); {
		case code == "":
			return fmt.Errorf("its answer has a %s that is neither a number nor a text", name)
		case !counts:
			return ws.ErrInvalidToken
		case n == http.StatusOK, n == 0:
		case n == http.StatusTooManyRequests, n >= 500 && n < 600:
			return fmt.Errorf("its answer says %s %s", name, code)
		default:
			return ws.ErrInvalidToken
		}
	}
	return nil
}

// find returns what stands at a path from the top, or else below "data".
func find(answer map[string]any, path string) any {
	if path == "" {
		return nil
	}
	if found := at(answer, path); found != nil {
		return found
	}
	return at(answer, "data."+path)
}

func at(node map[string]any, path string) any {
	first, rest, deeper := strings.Cut(path, ".")
	if !deeper {
		return node[first]
	}
	below, _ := node[first].(map[string]any)
	return at(below, rest)
}

func text(value any) string {
	switch v := value.(type) {
	case string:
		return v
	case json.Number:
		return v.String()
	}
	return ""
}

func list(value any) []string {
	var names []string
	switch v := value.(type) {
	case string:
		names = strings.Split(v, ",")
	case []any:
		for _, item := range v {
			names = append(names, text(item))
		}
	}
	kept := names[:0]
	for _, name := range names {
		if name = strings.TrimSpace(name); name != "" {
			kept = append(kept, name)
		}
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// number returns a finite number, be it one or a text.
func number(value any) (n float64, ok bool) {
	n, err := strconv.ParseFloat(text(value), 64)
	return n, err == nil && !math.IsNaN(n) && !math.IsInf(n, 0)
}

// moment reads epoch seconds or milliseconds, or RFC 3339; zero for anything else.
func moment(value any) time.Time {
	if n, ok := number(value); ok && n > 0 {
		if n < lastYear {
			n *= 1000
		}
		return epoch(n)
	}
	t, err := time.Parse(time.RFC3339, text(value))
	if err != nil || t.Unix() >= lastYear {
		return time.Time{}
	}
	return t
}

// endOfSecond returns the last moment that may have been meant by one that came in whole seconds, as those of a JWT do (RFC 7519, 2):
// a token that is issued right after a revocation is not older than it.
func endOfSecond(t time.Time) time.Time {
	if t.IsZero() || t.Nanosecond() != 0 {
		return t
	}
	return t.Add(time.Second - time.Millisecond)
}

// epoch returns the time at so many milliseconds, or zero where time is not counted any more. In UTC, since east of it the
// last hours are of a year that JSON cannot hold.
func epoch(ms float64) time.Time {
	if ms >= lastYear*1000 {
		return time.Time{}
	}
	return time.UnixMilli(int64(max(ms, 0))).UTC()
}
