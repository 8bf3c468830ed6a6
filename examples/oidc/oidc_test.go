package main

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/examples/oidc/provider"
)

// tokenEnded is the close code of a session whose token has ended or was revoked.
const tokenEnded = 4401

func TestSignOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Minute)
	ann, ben := w.login(provider.Chat, "ann"), w.login(provider.Chat, "ben")

	status, who := w.me(ann.Access)
	require.Equal(t, http.StatusOK, status, who)
	require.Contains(t, who, `"openid":"248289761001","userName":"Ann Archer","roles":["staff","admin"],"admin":true`)
	require.Contains(t, who, `"expiresAt":`)

	annSocket, _ := w.dial(ann.Access)
	require.Equal(t, "248289761001", expect(t, annSocket, 33).OpenID)
	benSocket, _ := w.dial(ben.Access)
	require.Equal(t, "248289761002", expect(t, benSocket, 33).OpenID)
	require.NoError(t, annSocket.WriteJSON(map[string]any{
		"type": 1, "params": map[string]any{"toMessageId": "248289761002", "message": "Are you there?", "fileType": 0},
	}))
	expect(t, annSocket, 0)
	told := expect(t, benSocket, 2)
	require.Equal(t, "Are you there?", told.Message)
	require.Equal(t, "Ann Archer", told.FromUser.UserName)

	// Who signs out is out, though the token itself would hold for longer; the other one stays.
	w.revoke(provider.Chat, ann.Access)
	require.Equal(t, tokenEnded, closed(t, annSocket))
	_, status = w.dial(ann.Access)
	require.Equal(t, http.StatusUnauthorized, status)
	require.NoError(t, benSocket.WriteJSON(map[string]any{"type": 11}))
	expect(t, benSocket, 12)
}

func TestSignOn_TokenThatEnds(t *testing.T) {
	t.Parallel()
	w := newWorld(t, 4*time.Second)
	token := w.login(provider.Chat, "ann").Access
	socket, status := w.dial(token)
	require.Equal(t, http.StatusSwitchingProtocols, status)
	require.Equal(t, tokenEnded, closed(t, socket))
	_, status = w.dial(token)
	require.Equal(t, http.StatusUnauthorized, status)
}

func TestSignOn_Refused(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Minute)
	stranger := newWorld(t, time.Minute) // a provider with the same people, and keys of its own
	ann := w.login(provider.Chat, "ann")
	head, rest, _ := strings.Cut(ann.Access, ".")
	_, signature, _ := strings.Cut(rest, ".")
	_, others, _ := strings.Cut(w.login(provider.Chat, "ben").Access, ".")
	claims, _, _ := strings.Cut(others, ".")
	for name, token := range map[string]string{
		"of another audience":      w.login(provider.Other, "ann").Access,
		"of another issuer":        stranger.login(provider.Chat, "ann").Access,
		"with another's claims":    head + "." + claims + "." + signature,
		"that is not signed":       "eyJhbGciOiJub25lIn0." + claims + ".",
		"that proves a login only": ann.ID,
		"that is none":             "a-guess",
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			status, said := w.me(token)
			require.Equal(t, http.StatusUnauthorized, status, said)
			_, status = w.dial(token)
			require.Equal(t, http.StatusUnauthorized, status)
		})
	}
	status, said := w.me(ann.Access)
	require.Equal(t, http.StatusOK, status, said)
}

// A provider that cannot be asked says nothing about a token: whoever is known stays, strangers come later.
func TestSignOn_ProviderAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Minute)
	known, fresh := w.login(provider.Chat, "ann").Access, w.login(provider.Chat, "ben").Access
	socket, _ := w.dial(known)
	expect(t, socket, 33)
	w.issuer.Close()
	status, said := w.me(fresh)
	require.Equal(t, http.StatusServiceUnavailable, status, said)
	require.NoError(t, socket.WriteJSON(map[string]any{"type": 11}))
	expect(t, socket, 12)

	// The same before the provider's keys were ever seen.
	other := newWorld(t, time.Minute)
	unseen := other.login(provider.Chat, "ann").Access
	other.issuer.Close()
	status, said = other.me(unseen)
	require.Equal(t, http.StatusServiceUnavailable, status, said)
}

// The audience is our own to check: a provider says of every token of its own that it is active.
func TestChecker_Audience(t *testing.T) {
	t.Parallel()
	w := newWorld(t, time.Minute)
	token := w.login(provider.Chat, "ann").Access
	for audience, want := range map[string]error{provider.Chat: nil, "another": errInvalid} {
		check, err := newChecker(t.Context(), settings{
			issuer: w.issuer.URL, audience: audience, clientID: provider.Chat, clientSecret: provider.Secret, timeout: patience,
		})
		require.NoError(t, err)
		_, err = check.check(t.Context(), token)
		require.ErrorIs(t, err, want)
	}
}
