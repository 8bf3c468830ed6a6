package services

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
)

// RNacosVersion is the version of rnacos, a server that speaks Nacos's protocol and is one program. Nacos's own server is
// in no package archive.
const RNacosVersion = "0.8.8"

// Beside HTTP it listens for gRPC, where Nacos's clients expect it, and for its console.
const (
	grpcOffset    = 1000
	consoleOffset = 2000
)

var nacos = software{
	port:       18848,
	neighbours: []int{grpcOffset, consoleOffset},
	stop:       syscall.SIGTERM,
	fetched:    func() bool { return executable(rnacosPath()) },
	fetch:      buildRNacos,
	command: func(s Spec) *exec.Cmd {
		cmd := exec.Command(rnacosPath())
		cmd.Dir = s.Dir
		cmd.Env = append(os.Environ(), "RNACOS_SDK_HOST="+loopback, "RNACOS_DATA_DIR="+s.data(),
			"RNACOS_HTTP_PORT="+s.port(), "RNACOS_GRPC_PORT="+strconv.Itoa(s.Port+grpcOffset),
			"RNACOS_HTTP_CONSOLE_PORT="+strconv.Itoa(s.Port+consoleOffset))
		return cmd
	},
	ready: nacosReady,
}

// nacosReady asks for the server's health, and whether gRPC is there, which clients use.
func nacosReady(ctx context.Context, i Instance) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+i.Addr+"/nacos/health", nil)
	if err != nil {
		return err
	}
	request.Close = true // no connection stays behind
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("it says of its health: %s", response.Status)
	}
	port, err := strconv.Atoi(i.port())
	if err != nil {
		return err
	}
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", net.JoinHostPort(i.host(), strconv.Itoa(port+grpcOffset)))
	if err != nil {
		return err
	}
	return conn.Close()
}

func rnacosRoot() string {
	cache, err := CacheDir()
	if err != nil {
		return ""
	}
	return filepath.Join(cache, "rnacos-"+RNacosVersion)
}

func rnacosPath() string { return filepath.Join(rnacosRoot(), "bin", "rnacos") }

// buildRNacos compiles the program; cargo puts it in its place when it is whole.
func buildRNacos(ctx context.Context, progress io.Writer) error {
	cargo := locate("cargo")
	if !filepath.IsAbs(cargo) {
		return errors.New("cargo is needed, of a newer Rust than Debian 12 has: install it with rustup, and have it in PATH")
	}
	_, _ = fmt.Fprintf(progress, "building rnacos %s from crates.io; on two cores that takes 10 minutes\n", RNacosVersion)
	build := exec.CommandContext(ctx, cargo, "install", "rnacos", "--version", RNacosVersion, "--locked", "--root", rnacosRoot())
	build.Stdout, build.Stderr = progress, progress
	if err := build.Run(); err != nil {
		return fmt.Errorf("cargo install: %w; what it wrote says why", err)
	}
	return nil
}
