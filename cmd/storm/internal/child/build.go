package child

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

const program = "github.com/yanlink/yanlink"

// Build compiles the server into dir and returns the binary. It has to be called from inside the module.
func Build(ctx context.Context, dir string, race bool) (string, error) {
	bin := filepath.Join(dir, "yanlink")
	args, c := []string{"build", "-o", bin}, "0" // as what is released
	if race {
		args, c = append(args, "-race"), "1"
	}
	cmd := exec.CommandContext(ctx, "go", append(args, program)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED="+c)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, out)
	}
	return bin, nil
}
