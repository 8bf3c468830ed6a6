package child

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
)

const program = "github.com/yanlink/yanlink"

// Build compiles the server into dir and returns the binary. It has to be called from inside the module.
func Build(ctx context.Context, dir string, race bool) (string, error) {
	bin := filepath.Join(dir, "yanlink")
	args := []string{"build", "-o", bin}
	if race {
		args = append(args, "-race")
	}
	out, err := exec.CommandContext(ctx, "go", append(args, program)...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return bin, nil
}
