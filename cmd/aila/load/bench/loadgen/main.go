// Command loadgen drives a voice server with many WebSocket clients and measures what they
// cost it. It is deliberately thin: its framing is written by hand and it looks into messages
// only as far as it must, so that on one machine it is the server that costs. What the server
// says is not checked: that is what `aila load` is for.
//
// With -mode stream clients send a frame of audio every 20 ms, with flood as fast as a window
// of frames in flight allows, with idle nothing. With -pid it reads the server's processor time
// and memory over the measured window. It prints one line of JSON.
package main

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// settings are the flags.
type settings struct {
	addr     string
	mode     string
	clients  int
	idle     int
	window   int
	pid      int
	ramp     int
	key      string
	ackEvery int
	warmup   time.Duration
	duration time.Duration
}

// period is from one frame of a client to the next, in mode stream.
const period = 20 * time.Millisecond

func main() {
	var s settings
	flag.StringVar(&s.addr, "addr", "127.0.0.1:3001", "the server's `host:port`")
	flag.StringVar(&s.mode, "mode", "stream", "stream, flood or idle")
	flag.IntVar(&s.clients, "clients", 100, "clients at once")
	flag.IntVar(&s.idle, "idle", 0, "further clients that say nothing")
	flag.IntVar(&s.window, "window", 8, "frames in flight of each client, in mode flood")
	flag.IntVar(&s.pid, "pid", 0, "the server's process, to be measured")
	flag.IntVar(&s.ramp, "ramp", 2000, "connects each second")
	flag.StringVar(&s.key, "key", `"seq":`, "what stands before the client's number in an echo")
	flag.IntVar(&s.ackEvery, "ack-every", 0, "acknowledge after so many messages that carry a seq (0: never)")
	flag.DurationVar(&s.warmup, "warmup", 1500*time.Millisecond, "time before what is measured")
	flag.DurationVar(&s.duration, "duration", 4*time.Second, "time that is measured")
	flag.Parse()
	if err := json.NewEncoder(os.Stdout).Encode(newLoad(s).run()); err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

// load is one run.
type load struct {
	s       settings
	b64     string // what every frame says
	clients []*client

	measuring, stopping   atomic.Bool
	failed, closed, heard atomic.Int64
	trips                 [64]trips
	done                  chan struct{}
}

// trips are round trips, in microseconds, of some of the clients.
type trips struct {
	mu sync.Mutex
	us []int32
}

func newLoad(s settings) *load {
	pcm := make([]byte, 960) // 20 ms of 24 kHz, 16 bits, mono
	rand.Read(pcm)           // never fails
	return &load{s: s, b64: base64.StdEncoding.EncodeToString(pcm), done: make(chan struct{})}
}

// run gives the figures by name.
func (l *load) run() map[string]any {
	began := time.Now()
	l.connect()
	connected := time.Since(began)
	for i, c := range l.clients {
		go l.listen(c, &l.trips[i%len(l.trips)]) // ends with its socket
	}
	talkers := l.clients[:min(len(l.clients), l.s.clients)]
	switch l.s.mode {
	case "stream":
		l.stream(talkers)
	case "flood":
		l.flood(talkers)
	}
	time.Sleep(l.s.warmup)
	server, self := usage(l.s.pid), usage(os.Getpid())
	l.measuring.Store(true)
	began = time.Now()
	time.Sleep(l.s.duration)
	l.measuring.Store(false)
	passed := time.Since(began).Seconds()
	server2, self2 := usage(l.s.pid), usage(os.Getpid())
	l.stopping.Store(true)
	close(l.done)
	for _, c := range l.clients {
		defer c.conn.Close()
	}
	heard := float64(l.heard.Load())
	q := l.quantiles()
	return map[string]any{
		"mode": l.s.mode, "clients": len(l.clients), "failed": l.failed.Load(), "closed": l.closed.Load(),
		"connect_s": round(connected.Seconds()), "rx_per_s": round(heard / passed),
		"p50_ms": q(.5), "p99_ms": q(.99), "p999_ms": q(.999), "max_ms": q(1),
		"server_cores": round((server2.cpu - server.cpu) / passed), "self_cores": round((self2.cpu - self.cpu) / passed),
		"server_us_per_frame": round((server2.cpu - server.cpu) * 1e6 / math.Max(1, heard)),
		"connect_us":          round(connected.Seconds() * 1e6 / math.Max(1, float64(len(l.clients)))),
		"rss_mib":             round(server2.kib / 1024), "rss_kib_per_client": round(server2.kib / math.Max(1, float64(len(l.clients)))),
	}
}

// quantiles gives round trips in milliseconds.
func (l *load) quantiles() func(float64) float64 {
	var all []int32
	for i := range l.trips {
		t := &l.trips[i]
		t.mu.Lock()
		all = append(all, t.us...)
		t.mu.Unlock()
	}
	slices.Sort(all)
	return func(p float64) float64 {
		if len(all) == 0 {
			return 0
		}
		return float64(all[min(len(all)-1, int(p*float64(len(all))))]) / 1000
	}
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
