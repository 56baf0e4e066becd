package main

import (
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelMemory is the most memory that the kernel has for one of a process's sockets, in bytes,
// of those that lead to these ports; -1: it does not tell.
func kernelMemory(t testing.TB, pid int, ports map[int]bool) (most int) {
	t.Helper()
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return -1
	}
	defer unix.Close(process)
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	files, err := os.ReadDir(dir)
	if err != nil {
		return -1
	}
	for _, f := range files {
		target, err := os.Readlink(dir + "/" + f.Name())
		if err != nil || !strings.HasPrefix(target, "socket:") {
			continue
		}
		number, err := strconv.Atoi(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		fd, err := unix.PidfdGetfd(process, number, 0)
		switch err {
		case nil:
			most = max(most, memoryOf(fd, ports))
			unix.Close(fd)
		case unix.EBADF: // closed meanwhile
		default:
			return -1
		}
	}
	return most
}

// memoryOf is what the kernel has for one socket that leads to one of these ports: what was
// received, what is to be sent, and what it keeps at hand for more.
func memoryOf(fd int, ports map[int]bool) int {
	far, err := unix.Getpeername(fd)
	if err != nil {
		return 0 // it listens, or has ended
	}
	if to, ok := far.(*unix.SockaddrInet4); !ok || !ports[to.Port] {
		return 0
	}
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, uintptr(fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	if errno != 0 {
		return 0
	}
	return int(info[unix.SK_MEMINFO_RMEM_ALLOC] + info[unix.SK_MEMINFO_WMEM_QUEUED] + info[unix.SK_MEMINFO_FWD_ALLOC] + info[unix.SK_MEMINFO_BACKLOG])
}
