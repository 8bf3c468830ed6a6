package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/yanlink/yanlink/cmd/loadgen/internal/scenario"
)

// profile takes a processor profile of a server while it is under load. The function it returns waits for it.
func (b *bencher) profile(ctx context.Context, suite, name string, e *endpoint, load scenario.Load) (wait func() error) {
	if b.o.profile == "" || e.profiles == "" {
		return func() error { return nil }
	}
	file := strings.NewReplacer(" ", "-", ",", "", ":", "-", "/", "-").Replace(fmt.Sprintf("%s-%s-%d.pprof", suite, name, len(b.report.Runs)))
	done := make(chan error, 1)
	go func() { done <- takeProfile(ctx, e.profiles, filepath.Join(b.o.profile, file), load) }()
	return func() error { return <-done }
}

func takeProfile(ctx context.Context, addr, path string, load scenario.Load) error {
	seconds := max(1, int(load.Duration/time.Second)-1)
	ctx, cancel := context.WithTimeout(ctx, load.Warmup+2*load.Duration)
	defer cancel()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(load.Warmup):
	}
	url := fmt.Sprintf("http://%s/debug/pprof/profile?seconds=%d", addr, seconds)
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("take a profile: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("take a profile: answered with %d", response.StatusCode)
	}
	raw, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("take a profile: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("keep a profile: %w", err)
	}
	return os.WriteFile(path, raw, 0o644)
}
