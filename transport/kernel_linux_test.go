package transport

import (
	"syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"aila/proto"
)

// written is the kernel's memory, in bytes, for what the peer of p has not taken.
func (p *pipe) written(t *testing.T) int {
	var info [9]uint32
	size := uint32(unsafe.Sizeof(info))
	err := p.raw.Control(func(fd uintptr) {
		_, _, errno := syscall.Syscall6(syscall.SYS_GETSOCKOPT, fd, unix.SOL_SOCKET, unix.SO_MEMINFO,
			uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
		require.Zero(t, errno)
	})
	require.NoError(t, err)
	return int(info[5]) // SK_MEMINFO_WMEM_QUEUED
}

func TestClientThatNeverReadsHoldsLittleKernelMemory(t *testing.T) {
	r := newRig(t, Options{})
	r.echo.hangups = make(chan proto.Close, 1)
	r.started()
	s, out := r.only(), r.outlet()
	most := 0
	for n := 0; !s.isClosing(); n++ {
		out.Send(numbered(0, n), false)
		most = max(most, s.pipe.written(t))
	}
	r.wantHangup(proto.CloseTooSlow)
	require.Less(t, max(most, s.pipe.written(t)), 100_000)
}
