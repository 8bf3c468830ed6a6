// Package scenario drives a server: traffic between pairs of users in a closed or an open loop, crowds that only stay
// connected, and storms of connects. Every scenario is bounded in count and time and says what it cost whom.
package scenario

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/measure"
	"github.com/yanlink/yanlink/cmd/loadgen/internal/wire"
)

const (
	device         = "web"
	connectTimeout = 20 * time.Second
	loginTimeout   = 20 * time.Second
	// dialers is how many connects are under way at one time: so many that no server is left without work while some of them
	// wait for its disk, few enough not to fill its queue of connects.
	dialers = 256
)

// Target is a server on this machine.
type Target struct {
	Addr string // host:port, loopback
	PID  int    // 0: not known, and then its costs are not
}

// name is the openid of a user of the crowd. It needs no escaping in JSON.
func name(i int) string { return fmt.Sprintf("load-%06d", i) }

// Login gets tokens for the first n users of the crowd from the development SSO.
func Login(ctx context.Context, target Target, n int) ([]string, error) {
	names := make([]string, n)
	for i := range names {
		names[i] = name(i)
	}
	return loginAll(ctx, target, names)
}

func loginAll(ctx context.Context, target Target, names []string) ([]string, error) {
	if err := wire.Loopback(target.Addr); err != nil {
		return nil, err
	}
	transport := &http.Transport{MaxIdleConnsPerHost: dialers, MaxConnsPerHost: dialers}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport, Timeout: loginTimeout}
	tokens := make([]string, len(names))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dialers)
	for i, name := range names {
		group.Go(func() (err error) {
			tokens[i], err = login(ctx, client, target.Addr, name)
			return err
		})
	}
	return tokens, group.Wait()
}

func login(ctx context.Context, client *http.Client, addr, user string) (string, error) {
	body, err := json.Marshal(map[string]string{"openid": user, "userName": user})
	if err != nil {
		return "", err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+addr+"/dev/login", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := client.Do(request)
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	defer response.Body.Close()
	var answer struct {
		Token string `json:"token"`
	}
	raw, err := io.ReadAll(io.LimitReader(response.Body, 1<<16))
	if err == nil && response.StatusCode == http.StatusOK {
		err = json.Unmarshal(raw, &answer)
	}
	if err != nil || answer.Token == "" {
		return "", errors.Join(fmt.Errorf("log in: answered with %d", response.StatusCode), err)
	}
	return answer.Token, nil
}

// connect dials for every token, at most dialers at a time, and waits for each one's hello. took, if not nil, gets how
// long each connect took. The connections that stand are returned even with an error.
func connect(ctx context.Context, target Target, tokens []string, took *measure.Latency) ([]*wire.Conn, error) {
	conns := make([]*wire.Conn, len(tokens))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(dialers)
	for i, token := range tokens {
		group.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			began := time.Now()
			conn, err := greet(ctx, target.Addr, token)
			if err != nil {
				return fmt.Errorf("connect %s: %w", name(i), err)
			}
			conns[i] = conn
			if took != nil {
				took.Record(time.Since(began))
			}
			return nil
		})
	}
	return conns, group.Wait()
}

// greet connects and waits for the first frame of the server, which has to be its hello.
func greet(ctx context.Context, addr, token string) (*wire.Conn, error) {
	conn, err := wire.Dial(ctx, addr, token, device, connectTimeout)
	if err != nil {
		return nil, err
	}
	if err := hello(conn); err != nil {
		return nil, errors.Join(fmt.Errorf("wait for hello: %w", err), conn.Close())
	}
	return conn, nil
}

func hello(conn *wire.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(connectTimeout)); err != nil {
		return err
	}
	frame, err := conn.Next()
	if err != nil {
		return err
	}
	kind, _, err := wire.Scan(frame)
	if err == nil && kind != wire.Hello {
		err = fmt.Errorf("got frame %d first", kind)
	}
	return errors.Join(err, conn.SetDeadline(time.Time{}))
}

// leave closes connections, with a close frame each.
func leave(conns []*wire.Conn) {
	var group errgroup.Group
	group.SetLimit(dialers)
	for _, conn := range conns {
		if conn != nil {
			group.Go(func() error { conn.Goodbye(); return nil })
		}
	}
	_ = group.Wait()
}
