package transport

import (
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestReadAndWriteNeverWait(t *testing.T) {
	var fds [2]int
	require.NoError(t, syscall.Pipe(fds[:]))
	for _, fd := range fds {
		require.NoError(t, syscall.SetNonblock(fd, true))
	}
	b := make([]byte, 4096)
	_, err := read(fds[0], b)
	require.ErrorIs(t, err, syscall.EAGAIN)
	n, err := write(fds[1], []byte("some"))
	require.NoError(t, err)
	require.Equal(t, 4, n)
	n, err = read(fds[0], b)
	require.NoError(t, err)
	require.Equal(t, "some", string(b[:n]))
	for err == nil {
		_, err = write(fds[1], b)
	}
	require.ErrorIs(t, err, syscall.EAGAIN)
	require.NoError(t, syscall.Close(fds[0]))
	_, err = write(fds[1], b)
	require.ErrorIs(t, err, syscall.EPIPE)
	require.NoError(t, syscall.Close(fds[1]))
}
