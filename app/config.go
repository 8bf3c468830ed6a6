package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/yanlink/yanlink/clients/nacos"
	"github.com/yanlink/yanlink/configs"
)

// LoadConfig is configs.Load and reads, where discovery.nacos.config names one, a configuration kept in Nacos too. While
// Nacos does not answer, the copy of the last one counts, if discovery.nacos.configCopy keeps one.
func LoadConfig(ctx context.Context, path string) (*configs.Config, error) {
	return configs.LoadWith(path, func(at configs.Nacos) (string, error) { return remoteConfig(ctx, at) })
}

func remoteConfig(ctx context.Context, at configs.Nacos) (string, error) {
	text, err := nacos.Config(ctx, nacosServer(at), at.Config)
	switch {
	case at.ConfigCopy == "":
		return text, err
	case err == nil:
		return text, keepCopy(at.ConfigCopy, text)
	case errors.Is(err, nacos.ErrNoConfig):
		return "", err
	}
	kept, missing := os.ReadFile(at.ConfigCopy)
	if missing != nil {
		return "", errors.Join(err, fmt.Errorf("discovery.nacos.configCopy: %w", missing))
	}
	return string(kept), nil
}

// keepCopy replaces the copy as a whole, readable by this user only.
func keepCopy(path, text string) error {
	draft := path + ".unfinished"
	if err := errors.Join(os.WriteFile(draft, []byte(text), 0o600), os.Rename(draft, path)); err != nil {
		return fmt.Errorf("discovery.nacos.configCopy: %w", err)
	}
	return nil
}
