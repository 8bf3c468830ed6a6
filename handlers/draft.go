package handlers

import (
	"encoding/json"
	"errors"
	"io"
	"math"
	"net/http"
	"slices"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
)

// maxSeconds is the longest time in seconds that a time.Duration holds.
const maxSeconds = int64(math.MaxInt64 / time.Second)

// fields are the fields of a request body, as raw JSON. Those that nobody asks for are ignored.
type fields map[string]string

// bodyOf reads the body of a request, a JSON object of at most limit bytes.
func bodyOf(c *gin.Context, limit int64) (fields, error) {
	data, err := textOf(c, limit)
	if err != nil {
		return nil, err
	}
	body, coded := protocol.BodyFields(data)
	if coded != nil {
		return nil, coded
	}
	return body, nil
}

// textOf reads the body of a request as it is, at most limit bytes.
func textOf(c *gin.Context, limit int64) ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.Writer, c.Request.Body, limit))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, protocol.NewError(protocol.TooLarge, "the body is longer than this server takes: "+strconv.FormatInt(limit, 10)+" bytes")
	case err != nil:
		return nil, &protocol.Error{Code: protocol.BadJSON, Message: "the body did not arrive in full", Cause: err}
	}
	return data, nil
}

// given reports whether a field is there; null counts as absent.
func (f fields) given(name string) bool { return f[name] != "" && f[name] != "null" }

// text returns a string, empty if absent.
func (f fields) text(name string) (string, error) {
	var s string
	if f.given(name) && json.Unmarshal([]byte(f[name]), &s) != nil {
		return "", protocol.FieldError(protocol.BadField, name, "must be a string")
	}
	return s, nil
}

// flag returns a boolean, false if absent.
func (f fields) flag(name string) (set bool, err error) {
	if f.given(name) && json.Unmarshal([]byte(f[name]), &set) != nil {
		return false, protocol.FieldError(protocol.BadField, name, "must be true or false")
	}
	return set, nil
}

// recipients returns to: an array of openids, or one. Who is named twice gets the message once.
func (f fields) recipients() ([]string, error) {
	if !f.given("to") {
		return nil, protocol.FieldError(protocol.MissingField, "to", "missing: the openids of the recipients")
	}
	var one string
	if json.Unmarshal([]byte(f["to"]), &one) == nil {
		return []string{one}, nil
	}
	var all []*string
	if json.Unmarshal([]byte(f["to"]), &all) != nil || slices.Contains(all, nil) {
		return nil, protocol.FieldError(protocol.BadField, "to", "must be an array of openids, or one")
	}
	to := make([]string, 0, len(all))
	seen := make(map[string]bool, len(all))
	for _, openID := range all {
		if !seen[*openID] {
			seen[*openID] = true
			to = append(to, *openID)
		}
	}
	if len(to) == 0 {
		return nil, protocol.FieldError(protocol.MissingField, "to", "a message needs a recipient")
	}
	return to, nil
}

// fileType returns the fileType, a number or the same as a string; 0 if absent.
func (f fields) fileType() (uint8, error) {
	if !f.given("fileType") {
		return 0, nil
	}
	digits := f["fileType"]
	var s string
	if json.Unmarshal([]byte(digits), &s) == nil {
		digits = s
	}
	n, err := strconv.ParseUint(digits, 10, 8)
	if err != nil || n > protocol.MaxFileType || len(digits) != 1 {
		return 0, protocol.FieldError(protocol.BadField, "fileType", "must be 0 text, 1 image, 2 file, 3 audio or 4 video")
	}
	return uint8(n), nil
}

// seconds returns a time that is given in seconds; 0 if absent.
func (f fields) seconds(name string) (time.Duration, error) {
	if !f.given(name) {
		return 0, nil
	}
	n, err := strconv.ParseInt(f[name], 10, 64)
	if err != nil || n < 0 || n > maxSeconds {
		return 0, protocol.FieldError(protocol.BadField, name, "must be a whole number of seconds, not negative")
	}
	return time.Duration(n) * time.Second, nil
}

// msgID returns the sender's own key: the field of that name, or the Idempotency-Key header.
func (f fields) msgID(name, header string) (string, error) {
	msgID, err := f.text(name)
	switch {
	case err != nil:
		return "", err
	case msgID == "":
		return header, nil
	case header != "" && header != msgID:
		return "", protocol.FieldError(protocol.BadField, name, name+" and the Idempotency-Key header name different messages")
	}
	return msgID, nil
}

// notYet refuses what the protocol knows and this version has not: to ignore it would be to do something else.
func (f fields) notYet() error {
	if f.given("groupId") {
		return protocol.FieldError(protocol.BadField, "groupId", "this version does not have groups")
	}
	return nil
}

// draft makes the draft of a message. Its From is what the body says, for the caller to be held against.
func (f fields) draft(idempotencyKey string) (d ws.Draft, err error) {
	if err = f.notYet(); err != nil {
		return d, err
	}
	to, err := f.recipients()
	if err != nil {
		return d, err
	}
	d, err = f.content(idempotencyKey)
	d.To = to
	return d, err
}

// content is draft without the recipients.
func (f fields) content(idempotencyKey string) (d ws.Draft, err error) {
	if !f.given("message") {
		return d, protocol.FieldError(protocol.MissingField, "message", "missing")
	}
	if d.Body, err = f.text("message"); err != nil {
		return d, err
	}
	if d.FileType, err = f.fileType(); err != nil {
		return d, err
	}
	if d.Delay, err = f.seconds("delaySeconds"); err != nil {
		return d, err
	}
	if d.TTL, err = f.seconds("ttlSeconds"); err != nil {
		return d, err
	}
	if d.MsgID, err = f.msgID("msgid", idempotencyKey); err != nil {
		return d, err
	}
	d.From, err = f.text("from")
	return d, err
}
