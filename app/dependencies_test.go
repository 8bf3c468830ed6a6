package app_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/ws"
	"github.com/yanlink/yanlink/ws/protocol"
	"github.com/yanlink/yanlink/ws/wstest"
)

func TestBundle_DependencyMetrics(t *testing.T) {
	store := wstest.NewMemStore()
	cfg := testConfig(t)
	cfg.Messages.UnknownUsers = "store"
	h := newHost(t, cfg, app.WithAuthenticator(&users{}), app.WithStore(store))
	metrics := func() string {
		_, body := call(t, "GET", strings.TrimSuffix(h.base, "/im")+"/admin/metrics", "", "")
		return body
	}
	require.Contains(t, metrics(), `yanlink_dependency_up{dependency="ledger"} 1`)
	store.FailCommits(ws.ErrUnavailable)
	sent, err := h.bundle.Send(t.Context(), ws.Draft{To: []string{"alice"}, Body: "hi"})
	require.NoError(t, err)
	require.Equal(t, protocol.StorageUnavailable, sent.Results[0].Err.Code)
	require.Contains(t, metrics(), `yanlink_dependency_up{dependency="ledger"} 0`)
}
