package freeport

import "syscall"

// bind binds a socket to a port without listening there, and returns what closes it. It is bound without SO_REUSEADDR, which
// fails if anybody has the port, another such socket included, and then gets it: from there on those who set it too may listen
// (socket(7)). The kernel lets go of it when the process ends, however it does.
func bind(port int) (release func(), err error) {
	socket, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = syscall.Bind(socket, &syscall.SockaddrInet4{Port: port, Addr: [4]byte{127, 0, 0, 1}})
	if err == nil {
		err = syscall.SetsockoptInt(socket, syscall.SOL_SOCKET, syscall.SO_REUSEADDR, 1)
	}
	if err != nil {
		_ = syscall.Close(socket)
		return nil, err
	}
	return func() { _ = syscall.Close(socket) }, nil
}
