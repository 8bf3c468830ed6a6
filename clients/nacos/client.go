package nacos

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// maxAnswer bounds what is read of an answer.
const maxAnswer = 4 << 20

// client calls the servers. Its methods may be called at the same time.
type client struct {
	server Server
	http   *http.Client

	mu    sync.Mutex
	first int    // the server that answered last
	token string // of the last login; empty before it, and where there is none
}

func newClient(server Server) *client {
	// A transport of its own: no proxy of the environment, and no connections that outlive it.
	return &client{server: server, http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
}

func (c *client) close() { c.http.CloseIdleConnections() }

// statusError is an answer that is none of the 200s.
type statusError struct {
	status int
	said   string
}

func (e *statusError) Error() string {
	return fmt.Sprintf("it answers %d %s: %.200s", e.status, http.StatusText(e.status), e.said)
}

// refused reports whether the token, or the want of one, was why.
func refused(err error) bool {
	var answer *statusError
	return errors.As(err, &answer) && (answer.status == http.StatusForbidden || answer.status == http.StatusUnauthorized)
}

// call asks the servers in turn, beginning with the one that answered last, and logs in where that is asked for.
func (c *client) call(ctx context.Context, method, path string, values url.Values) (string, error) {
	answer, err := c.try(ctx, method, path, values)
	if !refused(err) || c.server.Username == "" {
		return answer, err
	}
	if err := c.login(ctx); err != nil {
		return "", fmt.Errorf("log in as %s: %w", c.server.Username, err)
	}
	return c.try(ctx, method, path, values)
}

// try asks each server once, until one answers. A server that says no has answered.
func (c *client) try(ctx context.Context, method, path string, values url.Values) (string, error) {
	c.mu.Lock()
	first, token := c.first, c.token
	c.mu.Unlock()
	var problems error
	for i := range c.server.Addrs {
		at := (first + i) % len(c.server.Addrs)
		answer, err := c.once(ctx, c.server.Addrs[at], method, path, token, values)
		var status *statusError
		if err == nil || errors.As(err, &status) && status.status < http.StatusInternalServerError {
			c.mu.Lock()
			c.first = at
			c.mu.Unlock()
			return answer, err
		}
		problems = errors.Join(problems, fmt.Errorf("%s: %w", c.server.Addrs[at], err))
	}
	return "", problems
}

func (c *client) once(ctx context.Context, addr, method, path, token string, values url.Values) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, c.server.Timeout)
	defer cancel()
	target, body := "http://"+addr+"/nacos/v1"+path, io.Reader(strings.NewReader(values.Encode()))
	if method == http.MethodGet || method == http.MethodDelete {
		target, body = target+"?"+values.Encode(), http.NoBody
	}
	request, err := http.NewRequestWithContext(ctx, method, target, body)
	if err != nil {
		return "", err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if token != "" {
		request.Header.Set("Authorization", "Bearer "+token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return "", bare(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, maxAnswer))
	if err != nil {
		return "", bare(err)
	}
	if response.StatusCode/100 != 2 {
		return "", &statusError{response.StatusCode, strings.TrimSpace(string(said))}
	}
	return string(said), nil
}

// bare takes the URL off an error.
func bare(err error) error {
	var framed *url.Error
	if errors.As(err, &framed) {
		return framed.Err
	}
	return err
}
