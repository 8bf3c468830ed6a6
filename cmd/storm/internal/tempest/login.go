package tempest

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
)

// login gets a token from the development SSO. It is signed, not stored, so it outlives the server's deaths.
func (t *Tempest) login(ctx context.Context, openID string) (string, error) {
	body, err := json.Marshal(map[string]string{"openid": openID, "userName": "Name of " + openID})
	if err != nil {
		return "", err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, t.server.URL()+"/dev/login", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := t.http.Do(req)
	if err != nil {
		return "", fmt.Errorf("log %s in: %w", openID, err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Token string `json:"token"`
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil || answer.Token == "" {
		return "", fmt.Errorf("log %s in: %s, no token in the answer", openID, resp.Status)
	}
	return answer.Token, nil
}
