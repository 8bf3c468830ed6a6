package services

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// prepare makes the data folder unless it is there. It is made under another name, so that what is there is whole.
func prepare(ctx context.Context, s Spec) error {
	software := known[s.Kind]
	if software.prepare == nil {
		return nil
	}
	if _, err := os.Stat(s.data()); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	draft := s
	draft.unfinished = true
	if err := os.RemoveAll(draft.data()); err != nil {
		return err
	}
	if err := makeOwned(draft.data(), software.user); err != nil {
		return err
	}
	if err := software.prepare(ctx, draft); err != nil {
		return fmt.Errorf("make its data folder: %w", err)
	}
	return os.Rename(draft.data(), s.data())
}

func makeOwned(dir, user string) error {
	if err := os.Mkdir(dir, 0o700); err != nil || user == "" || os.Geteuid() != 0 {
		return err
	}
	uid, gid, err := ids(user)
	if err != nil {
		return err
	}
	return os.Chown(dir, uid, gid)
}

// output runs a command that ends by itself and returns what it wrote, in the error if it fails.
func output(cmd *exec.Cmd) (string, error) {
	var out, problems bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &problems
	cmd.WaitDelay = time.Second // for what it started and left
	if err := cmd.Run(); err != nil {
		said := append(bytes.TrimSpace(problems.Bytes()), bytes.TrimSpace(out.Bytes())...)
		return "", fmt.Errorf("%s: %w: %s", filepath.Base(cmd.Path), err, said)
	}
	return strings.TrimSpace(out.String()), nil
}

const tailBytes = 4000 // a Java server says what went wrong above a long stack

// tail returns the end of a log.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-tailBytes):])
}
