package services

import (
	"os"
	"os/exec"
	"path/filepath"
)

// program is an executable and Debian's package that has it.
type program struct {
	name   string
	debian string
}

// homes are looked into before PATH: two of them are not in it, and /usr/bin/psql is a wrapper.
var homes = []string{"/usr/lib/postgresql/15/bin", "/usr/sbin", "/usr/bin"}

// locate returns the program's path, or its name where it is not installed, so that starting it says so.
func locate(name string) string {
	for _, home := range homes {
		if path := filepath.Join(home, name); executable(path) {
			return path
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	return name
}

func (p program) installed() bool { return filepath.IsAbs(locate(p.name)) }

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
