package nacos

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
)

// ErrNoConfig says that Nacos answers, and has no configuration under the id.
var ErrNoConfig = errors.New("nacos: there is no such configuration")

// Config returns the text of a configuration.
func Config(ctx context.Context, server Server, dataID string) (string, error) {
	if err := server.complete(); err != nil {
		return "", err
	}
	c := newClient(server)
	defer c.close()
	text, err := c.call(ctx, http.MethodGet, "/cs/configs", url.Values{
		"dataId": {dataID}, "group": {server.Group}, "tenant": {server.Namespace},
	})
	var answer *statusError
	if errors.As(err, &answer) && answer.status == http.StatusNotFound {
		return "", fmt.Errorf("%w: id %q in group %q", ErrNoConfig, dataID, server.Group)
	}
	if err != nil {
		return "", fmt.Errorf("nacos: read configuration %q: %w", dataID, err)
	}
	return text, nil
}
