//go:build !linux

package load

import "time"

// exact is 0 where only the runtime's timers are to be had.
const exact = 0

type sleeper struct{}

func newSleeper() sleeper             { return sleeper{} }
func (sleeper) close()                {}
func (sleeper) sleep(d time.Duration) { time.Sleep(d) }
