package nacos

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// login takes a token. When it has ended, a server refuses a call, and the next login takes another.
func (c *client) login(ctx context.Context) error {
	answer, err := c.try(ctx, http.MethodPost, "/auth/login", url.Values{
		"username": {c.server.Username}, "password": {c.server.Password},
	})
	if err != nil {
		return err
	}
	var fields struct {
		AccessToken string `json:"accessToken"`
	}
	if err := json.Unmarshal([]byte(answer), &fields); err != nil {
		return fmt.Errorf("its answer cannot be read: %w", err)
	}
	if fields.AccessToken == "" {
		return errors.New("it gives no token")
	}
	c.mu.Lock()
	c.token = fields.AccessToken
	c.mu.Unlock()
	return nil
}
