package load

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// exact is how close to a time the runtime's timers come: it waits in whole milliseconds.
// What is nearer is left to a timer of the kernel's.
const exact = 1500 * time.Microsecond

// sleeper sleeps for short times, by a timerfd that the runtime polls. A nanosleep would do
// the same, but keeps the processor that its goroutine ran on until the runtime takes it away,
// which lasts up to 10 ms: with one processor nothing else runs meanwhile.
type sleeper struct{ timer *os.File }

func newSleeper() sleeper {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return sleeper{}
	}
	return sleeper{os.NewFile(uintptr(fd), "timerfd")}
}

func (s sleeper) close() { s.timer.Close() }

func (s sleeper) sleep(d time.Duration) {
	if s.set(d) != nil {
		time.Sleep(d)
		return
	}
	var expirations [8]byte
	if _, err := s.timer.Read(expirations[:]); err != nil { // it cannot be polled
		time.Sleep(d)
	}
}

func (s sleeper) set(d time.Duration) error {
	raw, err := s.timer.SyscallConn()
	if err != nil {
		return err
	}
	control := raw.Control(func(fd uintptr) {
		err = unix.TimerfdSettime(int(fd), 0, &unix.ItimerSpec{Value: unix.NsecToTimespec(int64(d))}, nil)
	})
	if err == nil {
		err = control
	}
	return err
}
