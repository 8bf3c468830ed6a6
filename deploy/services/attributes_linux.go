package services

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// attributes are those of a process that lives so long, run by that user where root starts it ("": by root itself).
func attributes(life lifetime, user string) (*syscall.SysProcAttr, error) {
	a := &syscall.SysProcAttr{}
	if life == detached {
		a.Setsid = true
	} else {
		// A group of its own keeps a terminal's Ctrl-C from it, which is the test's to answer.
		a.Setpgid, a.Pdeathsig = true, syscall.SIGKILL
	}
	return a, runAs(a, user)
}

// capDACOverride lets a process into folders that are not its own, such as root's home and a test's temporary folder.
const capDACOverride = 1

// runAs sets the user, if there is one and this process is root.
func runAs(a *syscall.SysProcAttr, name string) error {
	if name == "" || os.Geteuid() != 0 {
		return nil
	}
	uid, gid, err := ids(name)
	if err != nil {
		return err
	}
	a.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	a.AmbientCaps = []uintptr{capDACOverride}
	return nil
}

// ids returns the numbers of a user and its group.
func ids(name string) (uid, gid int, err error) {
	u, err := user.Lookup(name)
	if err != nil {
		return 0, 0, fmt.Errorf("%w; Debian's package makes it: run `go run ./cmd/services install`", err)
	}
	if uid, err = strconv.Atoi(u.Uid); err != nil {
		return 0, 0, err
	}
	gid, err = strconv.Atoi(u.Gid)
	return uid, gid, err
}
