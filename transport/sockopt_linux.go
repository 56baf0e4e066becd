package transport

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// setUserTimeout makes the kernel give up a peer that takes nothing for 10 s.
func setUserTimeout(fd int) {
	syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, 10_000)
}
