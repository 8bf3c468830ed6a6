package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// Install brings what the kinds need and the machine does not have, and does nothing quickly where all is there. On
// Debian it installs packages, as root; downloads go into [CacheDir].
func Install(ctx context.Context, progress io.Writer, kinds ...Kind) error {
	if packages := missing(kinds); len(packages) > 0 {
		if err := installPackages(ctx, progress, packages); err != nil {
			return err
		}
	}
	for _, kind := range kinds {
		if fetched(kind) {
			continue
		}
		if err := known[kind].fetch(ctx, progress); err != nil {
			return fmt.Errorf("install %s: %w", kind, err)
		}
	}
	return nil
}

func fetched(kind Kind) bool {
	software := known[kind]
	return software.fetched == nil || software.fetched()
}

// Installed says what to do if something of the kind is not there.
func Installed(kind Kind) error {
	if len(missing([]Kind{kind})) > 0 || !fetched(kind) {
		return fmt.Errorf("%s is not installed: run `go run ./cmd/services install %s`", kind, kind)
	}
	return nil
}

// missing are the packages whose programs are not there.
func missing(kinds []Kind) []string {
	var packages []string
	for _, kind := range kinds {
		for _, p := range known[kind].programs {
			if !p.installed() && !slices.Contains(packages, p.debian) {
				packages = append(packages, p.debian)
			}
		}
	}
	return packages
}

func installPackages(ctx context.Context, progress io.Writer, packages []string) (err error) {
	list := strings.Join(packages, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("these Debian 12 packages are needed: %s; install the like with this system's own means", list)
	}
	if os.Geteuid() != 0 {
		return fmt.Errorf("these packages are needed: run `sudo apt-get install --no-install-recommends %s`", list)
	}
	_, _ = fmt.Fprintf(progress, "installing %s\n", list)
	allow, err := denyServices()
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, allow()) }()
	if err := aptGet(ctx, progress, "update", "-q"); err != nil {
		return err
	}
	return aptGet(ctx, progress, append([]string{"install", "-q", "-y", "--no-install-recommends"}, packages...)...)
}

func aptGet(ctx context.Context, progress io.Writer, args ...string) error {
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	cmd.Stdout, cmd.Stderr = progress, progress
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("apt-get %s: %w; what it wrote says why", args[0], err)
	}
	return nil
}

const policy = "/usr/sbin/policy-rc.d"

// denyServices keeps Debian from starting the services of what is installed, by the policy file that it asks first. The
// machine's own policy stays.
func denyServices() (allow func() error, err error) {
	if _, err := os.Stat(policy); !errors.Is(err, fs.ErrNotExist) {
		return func() error { return nil }, err
	}
	if err := os.WriteFile(policy, []byte("#!/bin/sh\nexit 101\n"), 0o755); err != nil {
		return nil, err
	}
	return func() error { return os.Remove(policy) }, nil
}
