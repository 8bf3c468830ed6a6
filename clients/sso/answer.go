package sso

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

// millisFrom is the least number that counts as milliseconds; as seconds it would lie thousands of years ahead.
const millisFrom = 1e11

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
		IssuedAt:  moment(find(answer, f.IssuedAt)),
		ExpiresAt: moment(find(answer, f.ExpiresAt)),
	}
	if identity.OpenID == "" {
		return ws.Identity{}, fmt.Errorf("its answer has no openid at %q; see sso.fields", f.OpenID)
	}
	if !protocol.ValidOpenID(identity.OpenID) {
		return ws.Identity{}, fmt.Errorf("%w: its openid is longer than 128 bytes or has a comma or a control character", ws.ErrInvalidToken)
	}
	if seconds, err := strconv.ParseFloat(text(find(answer, f.ExpiresIn)), 64); err == nil && identity.ExpiresAt.IsZero() {
		identity.ExpiresAt = now.Add(time.Duration(seconds * float64(time.Second)))
	}
	if !identity.ExpiresAt.IsZero() && !identity.ExpiresAt.After(now) {
		return ws.Identity{}, fmt.Errorf("%w: it has ended", ws.ErrInvalidToken)
	}
	return identity, nil
}

// refusal looks for services that answer everything with 200 and put what they mean into the body. A code of the
// server's own trouble says nothing about the token.
func refusal(answer map[string]any) error {
	for _, name := range []string{"statusCode", "code"} {
		given, ok := answer[name]
		if !ok {
			continue
		}
		switch code := text(given); {
		case code == "200", code == "0", code == "":
		case code == "429", len(code) == 3 && code[0] == '5':
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

// moment reads epoch seconds or milliseconds, or RFC 3339; zero for anything else.
func moment(value any) time.Time {
	given := text(value)
	if n, err := strconv.ParseFloat(given, 64); err == nil && n > 0 {
		if n >= millisFrom {
			return time.UnixMilli(int64(n))
		}
		return time.UnixMilli(int64(n * 1000))
	}
	t, err := time.Parse(time.RFC3339, given)
	if err != nil {
		return time.Time{}
	}
	return t
}
