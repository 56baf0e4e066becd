package actors

import (
	"runtime"
	"testing"
	"testing/synctest"
	"time"
	"weak"

	"aila/proto"
)

// Sessions that ended leave nothing behind but their place in lists, however many there were.
func TestSessionsThatEndedAreLetGo(t *testing.T) {
	inBubble(t, Options{ResumeWindow: time.Second}, func(r *rig) {
		gone := comeAndGo(r, 100)
		time.Sleep(32 * time.Second) // the window, and the time in which the end can be fetched
		synctest.Wait()
		runtime.GC()
		kept := 0
		for _, rec := range gone {
			if rec.Value() != nil {
				kept++
			}
		}
		// The last one may still lie on a stack.
		if kept > 1 {
			r.t.Errorf("%d of %d sessions that ended are still in memory", kept, len(gone))
		}
		r.echoes(r.audio()) // who stays is well
	})
}

// comeAndGo starts sessions and hangs up.
func comeAndGo(r *rig, n int) (gone []weak.Pointer[record]) {
	r.t.Helper()
	for range n {
		visitor := join(r.t, r.g, &proto.Start{})
		gone = append(gone, weak.Make(r.g.hub.books.session(visitor.started.SessionID)))
		visitor.echoes(visitor.audio())
		visitor.in.Hangup(proto.Close{})
	}
	return gone
}
