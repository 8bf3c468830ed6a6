package app_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/yanlink/yanlink/app"
	"github.com/yanlink/yanlink/configs"
)

// writers send messages over REST, from several people at a time, until they are stopped.
type writers struct {
	base  string
	mu    sync.Mutex
	ids   map[string]string // by sender and msgid
	ended atomic.Bool
	wg    sync.WaitGroup
}

func (w *writers) run(t *testing.T, people ...string) {
	for _, sender := range people {
		w.wg.Go(func() {
			for n := 0; n < 5000 && !w.ended.Load(); n++ {
				msgid := fmt.Sprintf("%s-%d", sender, n)
				if id, _ := sendMessage(t, w.base, sender, msgid); id != "" {
					w.mu.Lock()
					w.ids[msgid] = id
					w.mu.Unlock()
				}
			}
		})
	}
	t.Cleanup(w.stop)
}

func (w *writers) stop() {
	w.ended.Store(true)
	w.wg.Wait()
}

// accepted returns what got a 0 so far, once that is at least so much.
func (w *writers) accepted(t *testing.T, atLeast int) map[string]string {
	got := map[string]string{}
	require.Eventually(t, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		for msgid, id := range w.ids {
			got[msgid] = id
		}
		return len(got) >= atLeast
	}, patience, time.Millisecond)
	return got
}

// sendMessage sends a message to jack and returns its id, empty if it was refused, and whether it was a repeat.
func sendMessage(t *testing.T, base, sender, msgid string) (id string, duplicate bool) {
	status, body := call(t, "POST", base+"api/v1/messages", sender, `{"to":["jack"],"message":"words","msgid":"`+msgid+`"}`)
	var answer struct {
		Results []struct {
			MessageID string `json:"messageId"`
			Status    string `json:"status"`
		} `json:"results"`
	}
	if status != http.StatusOK || json.Unmarshal([]byte(body), &answer) != nil || len(answer.Results) != 1 {
		t.Errorf("%d %s", status, body)
		return "", false
	}
	return answer.Results[0].MessageID, answer.Results[0].Status == "duplicate"
}

// TestBackup: a backup of a node at work holds what was accepted before, and a second node serves it beside the first.
func TestBackup(t *testing.T) {
	cfg := testConfig(t)
	first, _ := newServer(t, cfg, app.WithAuthenticator(&users{}))
	cfg.Server.Admin = first.AdminAddr()
	w := &writers{base: first.URL(), ids: map[string]string{}}
	call(t, "GET", w.base+"api/v1/me", "jack", "")
	w.run(t, "rose", "jill", "bert")
	before := w.accepted(t, 60)

	dir := filepath.Join(t.TempDir(), "backups", "today")
	var out bytes.Buffer
	require.NoError(t, app.Backup(t.Context(), cfg, dir, &out))
	require.Contains(t, out.String(), dir+" holds the ledger: ")
	w.accepted(t, len(before)+1)
	w.stop()
	problems, err := app.CheckStore(t.Context(), dir, &out)
	require.NoError(t, err)
	require.Zero(t, problems, out.String())

	restored := testConfig(t)
	restored.Store.Dir = dir
	require.NoError(t, app.NewEpoch(t.Context(), restored, &out))
	require.Contains(t, out.String(), " has epoch 2; the nodes can be started")
	second, _ := newServer(t, restored, app.WithAuthenticator(&users{}))
	for msgid, id := range before {
		again, duplicate := sendMessage(t, second.URL(), msgid[:4], msgid)
		require.True(t, duplicate, "%s was accepted before the backup", msgid)
		require.Equal(t, id, again)
	}
	id, _ := sendMessage(t, second.URL(), "rose", "after")
	for _, given := range w.accepted(t, 0) {
		require.NotEqual(t, given, id, "an id is given once")
	}
	require.NoError(t, second.Stop(context.Background()))
	problems, err = app.CheckStore(t.Context(), dir, &out)
	require.NoError(t, err)
	require.Zero(t, problems, out.String())

	require.ErrorContains(t, app.Backup(t.Context(), cfg, dir, &out), "not empty")
	sendMessage(t, first.URL(), "rose", "goes on")
	require.NoError(t, first.Stop(context.Background()))
	require.NoError(t, app.Backup(t.Context(), cfg, dir+"-2", &out), "without a node the command makes it")
	_, err = app.CheckStore(t.Context(), dir+"-2", &out)
	require.NoError(t, err)
}

// TestBackup_NoNode: the ledger is in use, and whoever has it is not found.
func TestBackup_NoNode(t *testing.T) {
	cfg := testConfig(t)
	server, _ := newServer(t, cfg, app.WithAuthenticator(&users{}))
	other, _ := newServer(t, testConfig(t), app.WithAuthenticator(&users{}))
	dir := filepath.Join(t.TempDir(), "backup")
	for admin, want := range map[string]string{
		"":                 "is off",
		"127.0.0.1:0":      "names no port",
		"192.0.2.1:8085":   "over loopback only",
		"127.0.0.1:1":      "no node answers on server.admin",
		server.Addr():      "takes no order for a backup",
		other.AdminAddr():  "it has another ledger open",
		server.AdminAddr(): "",
	} {
		c := *cfg
		c.Server.Admin = admin
		err := app.Backup(t.Context(), &c, dir, &bytes.Buffer{})
		if want == "" {
			require.NoError(t, err)
			continue
		}
		require.ErrorContains(t, err, want, admin)
	}
	c := configs.Default()
	c.Store.Driver = "postgres"
	require.ErrorContains(t, app.Backup(t.Context(), c, dir, &bytes.Buffer{}), "own tools")
}

// TestBackup_Order: only a command of this machine gives an order, no page and nobody behind a proxy.
func TestBackup_Order(t *testing.T) {
	cfg := testConfig(t)
	server, _ := newServer(t, cfg, app.WithAuthenticator(&users{}))
	url := "http://" + server.AdminAddr() + "/backup"
	dir := filepath.Join(t.TempDir(), "backup")
	body := fmt.Sprintf(`{"Ledger":%q,"To":%q}`, cfg.Store.Dir, dir)
	for name, header := range map[string][]string{
		"a form":       {"Content-Type", "text/plain"},
		"a page":       {"Content-Type", "application/json", "Origin", "https://example.com"},
		"a proxy":      {"Content-Type", "application/json", "X-Forwarded-For", "192.0.2.1"},
		"nothing said": nil,
	} {
		status, _ := call(t, "POST", url, "", body, header...)
		require.Equal(t, 404, status, name)
	}
	for _, text := range []string{"", "{}", `{"Ledger":"a","To":"b"}`} {
		status, _ := call(t, "POST", url, "", text, "Content-Type", "application/json")
		require.Equal(t, 400, status, text)
	}
	for _, text := range []string{body, body[:len(body)-1] + `,"Key":"guessed"}`} {
		status, _ := call(t, "POST", url, "", text, "Content-Type", "application/json")
		require.Equal(t, 403, status, "whoever is on the machine and cannot read the ledger")
	}
	require.NoDirExists(t, dir)
	key, err := os.ReadFile(filepath.Join(cfg.Store.Dir, "backup.key"))
	require.NoError(t, err)
	body = fmt.Sprintf(`{"Ledger":%q,"To":%q,"Key":%q}`, cfg.Store.Dir, dir, key)
	status, answer := call(t, "POST", url, "", body, "Content-Type", "application/json")
	require.Equal(t, 200, status, answer)
	require.DirExists(t, dir)
}

func TestBundle_Backup(t *testing.T) {
	h := newHost(t, testConfig(t), app.WithAuthenticator(&users{}))
	dir := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, h.bundle.Backup(t.Context(), dir))
	require.ErrorContains(t, h.bundle.Backup(t.Context(), dir), "not empty")
	status, _ := call(t, "POST", h.base+"/../admin/backup", "", "", "Content-Type", "application/json")
	require.Equal(t, 404, status, "a host decides itself who may ask")
}
