//go:build !linux

package deathsig

import (
	"os/exec"
	"syscall"
)

// Set does nothing here: only Linux tells children that their parent has ended.
func Set(*exec.Cmd, syscall.Signal) {}
