package app

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"

	"github.com/gin-gonic/gin"

	"github.com/yanlink/yanlink/clients/pebblestore"
	"github.com/yanlink/yanlink/clients/sso"
	"github.com/yanlink/yanlink/configs"
)

// backupPath is where a running node takes the order for a backup, on its admin listener.
const backupPath = "/backup"

// maxOrder is how long an order may be, or the answer to one.
const maxOrder = 64 << 10

// keyFile is where in the ledger's folder a node writes what an order has to hold: who can read it can read the ledger.
const keyFile = "backup.key"

// order asks the node that has the folder Ledger open for a backup in the folder To. Both are absolute. Key is what the
// node has written into Ledger.
type order struct {
	Ledger, To, Key string
}

var errOwnTools = errors.New(
	"backup is for an embedded ledger; a database is backed up with its own tools, such as mariadb-dump --single-transaction or pg_dump (docs/operations.md)")

// Backup copies the embedded ledger that the configuration names into the folder to, which must be empty or not there, and
// writes what came of it to out. A node may have the ledger open, and goes on meanwhile: then it is the one who makes the
// backup, and to is a folder as the node sees it.
func Backup(ctx context.Context, cfg *configs.Config, to string, out io.Writer) error {
	if cfg.Store.Driver != "pebble" {
		return errOwnTools
	}
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	copied, err := pebblestore.Backup(ctx, cfg.Store.Dir, to, nil)
	if errors.Is(err, pebblestore.ErrLocked) {
		copied, err = orderBackup(ctx, cfg, to)
	}
	if err != nil {
		return err
	}
	_, _ = fmt.Fprintf(out, "%s holds the ledger: %d files, %d bytes; yanlink check-store %s verifies it\n", to, copied.Files, copied.Bytes, to)
	return nil
}

// orderBackup has the node make the backup that has the ledger open.
func orderBackup(ctx context.Context, cfg *configs.Config, to string) (copied pebblestore.Copied, err error) {
	address, err := adminOf(cfg.Server.Admin)
	if err != nil {
		return copied, err
	}
	ledger, err := filepath.Abs(cfg.Store.Dir)
	if err != nil {
		return copied, err
	}
	key, err := os.ReadFile(filepath.Join(ledger, keyFile)) //nolint:gosec // the operator's own folder
	if err != nil {
		return copied, fmt.Errorf("a process has %s open, and whoever orders a backup of it has to read that folder: %w", ledger, err)
	}
	text, err := json.Marshal(order{Ledger: ledger, To: to, Key: string(key)})
	if err != nil {
		return copied, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+address+backupPath, bytes.NewReader(text))
	if err != nil {
		return copied, err
	}
	request.Header.Set("Content-Type", "application/json")
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // and no proxy
	response, err := client.Do(request)
	if err != nil {
		return copied, fmt.Errorf("a process has %s open, and no node answers on server.admin: %w", ledger, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxOrder))
	switch {
	case err != nil:
		return copied, fmt.Errorf("the node ended before the backup did: %w", err)
	case response.StatusCode == http.StatusOK:
		return copied, json.Unmarshal(answer, &copied)
	case response.StatusCode == http.StatusNotFound:
		return copied, fmt.Errorf("what listens on %s (server.admin) takes no order for a backup", address)
	}
	return copied, fmt.Errorf("the node at %s: %s", address, answer)
}

// adminOf returns the address over which a command on the node's machine reaches server.admin.
func adminOf(admin string) (string, error) {
	host, port, err := net.SplitHostPort(admin)
	switch {
	case admin == "":
		return "", errors.New("a node has the ledger open, and server.admin, over which it takes the order for a backup, is off; set it, or stop the node")
	case err != nil:
		return "", fmt.Errorf("server.admin: %w", err)
	case port == "0":
		return "", errors.New("a node has the ledger open, and server.admin names no port; give the command the one that the node has logged (YANLINK_SERVER_ADMIN)")
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case host == "" || err == nil && ip.IsUnspecified():
		return net.JoinHostPort("127.0.0.1", port), nil
	case !sso.LoopbackHost(host):
		return "", fmt.Errorf("server.admin: a node takes the order for a backup over loopback only, where %s is not heard; let it listen on 127.0.0.1 or 0.0.0.0, or stop the node", admin)
	}
	return admin, nil
}

// Backup copies the embedded ledger into the folder to, which must be empty or not there, while the Bundle serves: all that
// was accepted before the call is in it. It fails where the ledger is a database or the host's own.
func (b *Bundle) Backup(ctx context.Context, to string) error {
	_, err := b.backUp(ctx, to)
	return err
}

func (b *Bundle) backUp(ctx context.Context, to string) (pebblestore.Copied, error) {
	store, ok := b.store.(*pebblestore.Store)
	if !ok {
		return pebblestore.Copied{}, errOwnTools
	}
	copied, err := store.Backup(ctx, to)
	if err != nil {
		b.log.Error("no backup was made", "dir", to, "error", err)
		return copied, err
	}
	b.log.Info("a backup was made", "dir", to, "files", copied.Files, "bytes", copied.Bytes)
	return copied, nil
}

// takesOrders makes the key for orders to this node.
func (b *Bundle) takesOrders() error {
	if _, ok := b.store.(*pebblestore.Store); !ok {
		return nil
	}
	path := filepath.Join(b.cfg.Store.Dir, keyFile)
	if err := os.Remove(path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err // it is there with the rights that somebody else gave it
	}
	b.backupKey = rand.Text()
	return os.WriteFile(path, []byte(b.backupKey), 0o600)
}

// serveBackup takes an order. Whoever gives it makes the node write where it may, so it has to come from this machine, and
// not from a browser's page: that cannot send JSON elsewhere without asking first.
func (b *Bundle) serveBackup(c *gin.Context) {
	if !sso.Local(c.Request) || c.ContentType() != "application/json" {
		c.Status(http.StatusNotFound)
		return
	}
	var o order
	if err := json.NewDecoder(io.LimitReader(c.Request.Body, maxOrder)).Decode(&o); err != nil || !filepath.IsAbs(o.To) {
		c.String(http.StatusBadRequest, "an order is {\"Ledger\": …, \"To\": …, \"Key\": …}, with absolute folders")
		return
	}
	if !sameFolder(o.Ledger, b.cfg.Store.Dir) {
		c.String(http.StatusConflict, "it has another ledger open than %s; does server.admin name the right node?", o.Ledger)
		return
	}
	if subtle.ConstantTimeCompare([]byte(o.Key), []byte(b.backupKey)) != 1 || b.backupKey == "" {
		c.String(http.StatusForbidden, "an order holds the key that stands in %s of the ledger's folder", keyFile)
		return
	}
	copied, err := b.backUp(c.Request.Context(), o.To)
	if err != nil {
		c.String(http.StatusConflict, "%s", err)
		return
	}
	c.JSON(http.StatusOK, copied)
}

func sameFolder(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	return errX == nil && errY == nil && os.SameFile(x, y)
}
