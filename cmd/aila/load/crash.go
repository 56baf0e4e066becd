package load

import (
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"time"
)

// crasher crashes actors over the operators' API of a server with fault injection.
type crasher struct {
	r    *run
	base string
	http *http.Client
}

func newCrasher(r *run) *crasher {
	base := strings.Replace(r.o.URL, "ws", "http", 1) // ws://… or wss://…: that is where it begins
	base = base[:strings.Index(base, "://")+3] + hostOf(base)
	return &crasher{r: r, base: base + "/api/v1/sessions/", http: &http.Client{Timeout: 5 * time.Second}}
}

func hostOf(url string) string {
	host, _, _ := strings.Cut(url[strings.Index(url, "://")+3:], "/")
	return host
}

// kinds are what a session can be hit by: an actor, between two frames or with one in hand.
var kinds = []string{"audio/crash", "audio/crash?on=frame", "control/crash", "voice/crash", "voice/crash?on=frame"}

// crash hits a client's session.
func (c *crasher) crash(s *slot, rng *rand.Rand) {
	kind := kinds[rng.IntN(len(kinds))]
	call := s.call.Load()
	if call == nil {
		return
	}
	call.mu.Lock()
	id := call.id
	call.mu.Unlock()
	c.r.spawn(func() {
		status := c.order(id + "/actors/" + kind)
		c.r.events.add(func(e *Events) {
			switch {
			case status == http.StatusAccepted:
				e.Crashed++
			case status == http.StatusNotFound || c.r.ending.Err() != nil:
				// The session, or the run, was over first: nobody refused anything.
			default:
				e.CrashRefused++
			}
		})
	})
}

// order gives the status of the server's answer; 0: there was none.
func (c *crasher) order(path string) int {
	req, err := http.NewRequestWithContext(c.r.ending, http.MethodPost, c.base+path, nil)
	if err != nil {
		return 0
	}
	if c.r.o.OperatorToken != "" {
		req.Header.Set("Authorization", "Bearer "+c.r.o.OperatorToken)
	}
	answer, err := c.http.Do(req)
	if err != nil {
		return 0
	}
	defer answer.Body.Close()
	io.Copy(io.Discard, io.LimitReader(answer.Body, 64<<10)) // so that the connection is kept
	return answer.StatusCode
}
