package protocol

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Code is the machine-readable name of an error, the same in 500 frames and in REST bodies.
type Code string

// The error codes of the protocol.
const (
	BadJSON            Code = "bad_json"
	BadFrame           Code = "bad_frame"
	UnknownType        Code = "unknown_type"
	MissingField       Code = "missing_field"
	BadField           Code = "bad_field"
	TooLarge           Code = "too_large"
	BinaryUnsupported  Code = "binary_unsupported"
	UnknownUser        Code = "unknown_user"
	UnknownGroup       Code = "unknown_group"
	NotMember          Code = "not_member"
	NotAddressed       Code = "not_addressed"
	IdentityMismatch   Code = "identity_mismatch"
	Unauthorized       Code = "unauthorized"
	Forbidden          Code = "forbidden"
	NotFound           Code = "not_found"
	Conflict           Code = "conflict"
	RateLimited        Code = "rate_limited"
	Overloaded         Code = "overloaded"
	StorageUnavailable Code = "storage_unavailable"
	Draining           Code = "draining"
	SSOUnavailable     Code = "sso_unavailable"
	UpgradeRequired    Code = "upgrade_required"
	Internal           Code = "internal"
)

// codes is the one table of what a code means, to HTTP too, and whether and when the same request may succeed later.
var codes = map[Code]struct {
	status    int
	temporary bool
	retry     int // seconds of Retry-After; 0: none
	meaning   string
}{
	BadJSON:            {http.StatusBadRequest, false, 0, "the frame, or the body, is no valid JSON"},
	BadFrame:           {http.StatusBadRequest, false, 0, "JSON, but no frame: not an object, or a key given twice"},
	UnknownType:        {http.StatusBadRequest, false, 0, "no frame that a client may send has this type"},
	MissingField:       {http.StatusBadRequest, false, 0, "a field that is required is not there; `field` names it"},
	BadField:           {http.StatusBadRequest, false, 0, "a field has a value that it cannot have; `field` names it"},
	TooLarge:           {http.StatusRequestEntityTooLarge, false, 0, "over `limits.frameBytes`; by REST over `server.bodyBytes`"},
	BinaryUnsupported:  {http.StatusBadRequest, false, 0, "a binary frame; frames are text"},
	UnknownUser:        {http.StatusNotFound, false, 0, "nobody of that openid is known here"},
	UnknownGroup:       {http.StatusNotFound, false, 0, "there is no such group, or not for you"},
	NotMember:          {http.StatusForbidden, false, 0, "you are not a member of that conversation"},
	NotAddressed:       {http.StatusForbidden, false, 0, "what you acknowledge was not sent to you"},
	IdentityMismatch:   {http.StatusForbidden, false, 0, "it names somebody else than the token does"},
	Unauthorized:       {http.StatusUnauthorized, false, 0, "no token or key, or one that is bad, has ended or was revoked"},
	Forbidden:          {http.StatusForbidden, false, 0, "not yours to do, or you are banned"},
	NotFound:           {http.StatusNotFound, false, 0, "not there, or not yours to see"},
	Conflict:           {http.StatusConflict, false, 0, "the same msgid with other content; too late to recall or to cancel"},
	RateLimited:        {http.StatusTooManyRequests, true, 1, "more than the limits allow; slow down"},
	Overloaded:         {http.StatusServiceUnavailable, true, 1, "more is waiting than can be written; repeat it with the same msgid, since it may have been accepted"},
	StorageUnavailable: {http.StatusServiceUnavailable, true, 2, "the ledger cannot be written or read; repeat it with the same msgid, since it may have been accepted"},
	Draining:           {http.StatusServiceUnavailable, true, 1, "the node is going away; connect again, elsewhere"},
	SSOUnavailable:     {http.StatusServiceUnavailable, true, 2, "the token cannot be checked at the moment"},
	UpgradeRequired:    {http.StatusUpgradeRequired, false, 0, "not a WebSocket handshake"},
	Internal:           {http.StatusInternalServerError, true, 0, "a fault of ours; its text stays in the log"},
}

// Codes returns every code of the protocol, by status and name.
func Codes() []Code {
	return slices.SortedFunc(maps.Keys(codes), func(a, b Code) int {
		return cmp.Or(a.Status()-b.Status(), strings.Compare(string(a), string(b)))
	})
}

// Meaning says in a few words, in Markdown, when c is given.
func (c Code) Meaning() string { return codes[c].meaning }

// Status returns the HTTP status that belongs to c; 500 for a code that is not in the protocol.
func (c Code) Status() int {
	if entry, ok := codes[c]; ok {
		return entry.status
	}
	return http.StatusInternalServerError
}

// SetHeaders sets what goes with an answer of that code: when to come back, what to authenticate with, what to upgrade
// to; and that nobody is to keep it.
func (c Code) SetHeaders(h http.Header) {
	h.Set("Cache-Control", "no-store")
	if seconds := codes[c].retry; seconds > 0 {
		h.Set("Retry-After", strconv.Itoa(seconds))
	}
	switch c {
	case Unauthorized:
		h.Set("WWW-Authenticate", "Bearer")
	case UpgradeRequired: // a 426 has to say to what: RFC 9110, 15.5.22
		h.Set("Upgrade", "websocket")
		h.Set("Connection", "Upgrade")
	}
}

// Temporary reports whether the same request may succeed later.
func (c Code) Temporary() bool { return codes[c].temporary }

// Error is an error whose text may be shown to a client. The cause, if any, is for logs only.
type Error struct {
	Code    Code
	Message string
	Field   string // the offending field, by its path below params; may be empty
	MsgID   string // the msgid of the request that failed; may be empty
	Cause   error
	// RetryAfter is when the same request may succeed, where that is known better than by the code. HTTP tells it in
	// whole seconds, a frame in milliseconds, rounded up.
	RetryAfter time.Duration
}

// SetHeaders sets what goes with an answer of e: what goes with its code, and when exactly to come back.
func (e *Error) SetHeaders(h http.Header) {
	e.Code.SetHeaders(h)
	if e.RetryAfter > 0 {
		h.Set("Retry-After", strconv.Itoa(int((e.RetryAfter+time.Second-1)/time.Second)))
	}
}

// NewError builds an Error without a field.
func NewError(code Code, message string) *Error { return &Error{Code: code, Message: message} }

// FieldError builds an Error that names the offending field.
func FieldError(code Code, field, message string) *Error {
	return &Error{Code: code, Field: field, Message: message}
}

// Error returns the code and the text, with the cause where there is one.
func (e *Error) Error() string {
	text := string(e.Code) + ": " + e.Message
	if e.Cause != nil {
		text += ": " + e.Cause.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is makes errors.Is compare by code.
func (e *Error) Is(target error) bool {
	other, ok := target.(*Error)
	return ok && other.Code == e.Code
}

// AsError returns err as an Error: itself if it is one, else an internal error that hides its text from clients
// and keeps it as the cause for the log. It returns nil for nil.
func AsError(err error) *Error {
	if err == nil {
		return nil
	}
	var coded *Error
	if errors.As(err, &coded) {
		return coded
	}
	return &Error{Code: Internal, Message: "something went wrong on our side", Cause: err}
}

// Trigger says through which door a message came.
type Trigger uint8

// The triggers of the protocol.
const (
	TriggerREST      Trigger = 1
	TriggerWebSocket Trigger = 2
)
