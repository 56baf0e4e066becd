//go:build !linux

package load

import "time"

// exact is 0 where only the runtime's timers are to be had.
const exact = 0

func sleepExactly(d time.Duration) { time.Sleep(d) }
