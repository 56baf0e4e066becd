package main

import (
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"aila/transport/client"
)

// Fault 12: the server runs out of files. It does not spin, who is in stays in, and when files
// are to be had again new ones come in.
func TestServerOutOfFilesServesOnAndRecovers(t *testing.T) {
	const limit = 256
	withoutRaceDetector(t)
	e := startElsewhere(t)
	talkers := sing(t, e.ws, 20, 200*time.Millisecond, client.Options{})
	v := survive(t, e.addr())
	v.converse(5)
	few := unix.Rlimit{Cur: limit, Max: limit}
	if err := unix.Prlimit(e.pid(), unix.RLIMIT_NOFILE, &few, nil); err != nil {
		t.Skip("needs prlimit: ", err)
	}
	over := time.Duration(scale(1, 10)) * time.Second
	before := e.cpu(over)

	hogs := make([]net.Conn, 2*limit) // who gets no file waits in the kernel's backlog
	for i := range hogs {
		c, err := net.Dial("tcp", e.addr())
		if err != nil {
			t.Fatalf("hog %d: %v", i, err)
		}
		defer c.Close()
		hogs[i] = c
	}
	eventually(t, patience, "the server to be out of files", func() bool { return openFiles(t, e.pid()) >= limit-1 })
	during := e.cpu(over) // the hogs say nothing: slowloris is cut in 5 s, and the next one is let in
	v.converse(5)

	for _, c := range hogs {
		c.Close()
	}
	freed := time.Now()
	late := survive(t, e.addr())
	late.converse(5)
	recovered := time.Since(freed)
	late.end(0)
	v.end(0)
	total := talkers.finish().plus(v.verdict()).plus(late.verdict())
	report(t, "12", total, "with %d files and %d connections: processor %.0f %%, was %.0f %%; a new session %v after files were free",
		limit, len(hogs), 100*during, 100*before, recovered.Round(time.Millisecond))
	if during > before+0.2 {
		t.Errorf("the server uses %.0f %% of a processor, was %.0f %%: it spins", 100*during, 100*before)
	}
	if recovered > 5*time.Second {
		t.Errorf("a new session took %v, want 5 s", recovered)
	}
	if files := openFiles(t, e.pid()); files > limit {
		t.Errorf("%d open files, want at most %d", files, limit)
	}
}
