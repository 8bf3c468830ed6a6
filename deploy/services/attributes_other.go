//go:build !linux

package services

import (
	"errors"
	"syscall"
)

var errLinuxOnly = errors.New("the servers run on Linux only")

func attributes(lifetime, string) (*syscall.SysProcAttr, error) { return nil, errLinuxOnly }

func ids(string) (uid, gid int, err error) { return 0, 0, errLinuxOnly }
