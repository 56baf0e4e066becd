package load

import (
	"syscall"
	"time"
)

// exact is how close to a time the runtime's timers come: it waits in whole milliseconds.
// What is nearer is slept by the kernel.
const exact = 1500 * time.Microsecond

// sleepExactly sleeps for a short time. A signal may end it early.
func sleepExactly(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	syscall.Nanosleep(&t, nil) // an error means a signal
}
