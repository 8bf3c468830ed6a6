package protocol

import (
	"errors"
	"net/http"
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

// codes is the one table of what a code means to HTTP and whether the same request may succeed later.
var codes = map[Code]struct {
	status    int
	temporary bool
}{
	BadJSON:            {http.StatusBadRequest, false},
	BadFrame:           {http.StatusBadRequest, false},
	UnknownType:        {http.StatusBadRequest, false},
	MissingField:       {http.StatusBadRequest, false},
	BadField:           {http.StatusBadRequest, false},
	TooLarge:           {http.StatusRequestEntityTooLarge, false},
	BinaryUnsupported:  {http.StatusBadRequest, false},
	UnknownUser:        {http.StatusNotFound, false},
	UnknownGroup:       {http.StatusNotFound, false},
	NotMember:          {http.StatusForbidden, false},
	NotAddressed:       {http.StatusForbidden, false},
	IdentityMismatch:   {http.StatusForbidden, false},
	Unauthorized:       {http.StatusUnauthorized, false},
	Forbidden:          {http.StatusForbidden, false},
	NotFound:           {http.StatusNotFound, false},
	Conflict:           {http.StatusConflict, false},
	RateLimited:        {http.StatusTooManyRequests, true},
	Overloaded:         {http.StatusServiceUnavailable, true},
	StorageUnavailable: {http.StatusServiceUnavailable, true},
	Draining:           {http.StatusServiceUnavailable, true},
	SSOUnavailable:     {http.StatusServiceUnavailable, true},
	UpgradeRequired:    {http.StatusUpgradeRequired, false},
	Internal:           {http.StatusInternalServerError, true},
}

// Status returns the HTTP status that belongs to c; 500 for a code that is not in the protocol.
func (c Code) Status() int {
	if entry, ok := codes[c]; ok {
		return entry.status
	}
	return http.StatusInternalServerError
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
