package protocol

import (
	"errors"
	"net/http"
	"strconv"
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

// codes is the one table of what a code means to HTTP, and whether and when the same request may succeed later.
var codes = map[Code]struct {
	status    int
	temporary bool
	retry     int // seconds of Retry-After; 0: none
}{
	BadJSON:            {http.StatusBadRequest, false, 0},
	BadFrame:           {http.StatusBadRequest, false, 0},
	UnknownType:        {http.StatusBadRequest, false, 0},
	MissingField:       {http.StatusBadRequest, false, 0},
	BadField:           {http.StatusBadRequest, false, 0},
	TooLarge:           {http.StatusRequestEntityTooLarge, false, 0},
	BinaryUnsupported:  {http.StatusBadRequest, false, 0},
	UnknownUser:        {http.StatusNotFound, false, 0},
	UnknownGroup:       {http.StatusNotFound, false, 0},
	NotMember:          {http.StatusForbidden, false, 0},
	NotAddressed:       {http.StatusForbidden, false, 0},
	IdentityMismatch:   {http.StatusForbidden, false, 0},
	Unauthorized:       {http.StatusUnauthorized, false, 0},
	Forbidden:          {http.StatusForbidden, false, 0},
	NotFound:           {http.StatusNotFound, false, 0},
	Conflict:           {http.StatusConflict, false, 0},
	RateLimited:        {http.StatusTooManyRequests, true, 1},
	Overloaded:         {http.StatusServiceUnavailable, true, 1},
	StorageUnavailable: {http.StatusServiceUnavailable, true, 2},
	Draining:           {http.StatusServiceUnavailable, true, 1},
	SSOUnavailable:     {http.StatusServiceUnavailable, true, 2},
	UpgradeRequired:    {http.StatusUpgradeRequired, false, 0},
	Internal:           {http.StatusInternalServerError, true, 0},
}

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

// Close codes of RFC 6455 and ours (4000 and up): they tell the client whether to come back.
const (
	CloseNormal      = 1000
	CloseGoingAway   = 1001
	CloseBadData     = 1007
	CloseTooLarge    = 1009
	CloseFault       = 1011
	CloseRestart     = 1012
	CloseOverload    = 1013
	CloseBadFrames   = 4400
	CloseTokenEnded  = 4401
	CloseForbidden   = 4403
	CloseNoHeartbeat = 4408
	CloseReplaced    = 4409
	CloseAcksNothing = 4410
)

// Trigger says through which door a message came.
type Trigger uint8

// The triggers of the protocol.
const (
	TriggerREST      Trigger = 1
	TriggerWebSocket Trigger = 2
)
