package deathsig

import (
	"os/exec"
	"syscall"
)

// Set makes a process that is yet to be started get a signal when the one that starts it has ended. See prctl(2),
// PR_SET_PDEATHSIG. Elsewhere than on Linux it does nothing.
func Set(cmd *exec.Cmd, signal syscall.Signal) {
	if cmd.SysProcAttr == nil {
		cmd.SysProcAttr = &syscall.SysProcAttr{}
	}
	cmd.SysProcAttr.Pdeathsig = signal
}
