package protocol_test

import (
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/stretchr/testify/require"

	. "github.com/yanlink/yanlink/ws/protocol"
)

func TestCode(t *testing.T) {
	for code, want := range map[Code]struct {
		status    int
		temporary bool
	}{
		BadJSON: {400, false}, BadFrame: {400, false}, UnknownType: {400, false}, MissingField: {400, false}, BadField: {400, false},
		BinaryUnsupported: {400, false}, Unauthorized: {401, false}, Forbidden: {403, false}, NotMember: {403, false},
		NotAddressed: {403, false}, IdentityMismatch: {403, false}, NotFound: {404, false}, UnknownUser: {404, false},
		UnknownGroup: {404, false}, Conflict: {409, false}, TooLarge: {413, false}, UpgradeRequired: {426, false},
		RateLimited: {429, true}, Internal: {500, true}, Overloaded: {503, true}, StorageUnavailable: {503, true},
		Draining: {503, true}, SSOUnavailable: {503, true}, "not_of_the_protocol": {500, false},
	} {
		require.Equal(t, want.status, code.Status(), code)
		require.Equal(t, want.temporary, code.Temporary(), code)
	}
}

func TestError(t *testing.T) {
	cause := io.ErrUnexpectedEOF
	fault := &Error{Code: Overloaded, Message: "later", Cause: cause}
	require.EqualError(t, NewError(Overloaded, "later"), "overloaded: later")
	require.EqualError(t, fault, "overloaded: later: unexpected EOF")
	require.ErrorIs(t, fault, cause)
	require.ErrorIs(t, fault, NewError(Overloaded, "another text"))
	require.NotErrorIs(t, fault, NewError(Internal, "later"))

	require.Same(t, fault, AsError(fmt.Errorf("commit: %w", fault)))
	require.Nil(t, AsError(nil))
	hidden := AsError(errors.New("disk /dev/sda is full"))
	require.Equal(t, Internal, hidden.Code)
	require.NotContains(t, hidden.Message, "disk")
	require.NotContains(t, string(AppendError(nil, "", hidden)), "disk")
	require.ErrorContains(t, hidden.Cause, "disk")
}
