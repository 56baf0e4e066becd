package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// shards is how many goroutines pace the clients of mode stream.
const shards = 16

// stream paces frames: each shard's clients are spread evenly over the period.
func (l *load) stream(all []*client) {
	for s := range shards {
		var mine []*client
		for i := s; i < len(all); i += shards {
			mine = append(mine, all[i])
		}
		if len(mine) > 0 {
			go l.pace(mine, time.Now().Add(time.Duration(s)*period/shards)) // ends with done
		}
	}
}

func (l *load) pace(mine []*client, next time.Time) {
	step := period / time.Duration(len(mine))
	for {
		for _, c := range mine {
			select {
			case <-l.done:
				return
			default:
			}
			if d := time.Until(next); d > 200*time.Microsecond {
				time.Sleep(d)
			}
			c.say(l.b64) // a lost socket is counted by who reads it
			next = next.Add(step)
		}
	}
}

// flood sends a frame for each that has come back.
func (l *load) flood(all []*client) {
	for _, c := range all {
		for range l.s.window {
			c.credits <- struct{}{}
		}
		go func() { // ends with done or with its socket
			for {
				select {
				case <-l.done:
					return
				case <-c.credits:
				}
				if c.say(l.b64) != nil {
					return
				}
			}
		}()
	}
}

// used is what a process has used so far.
type used struct {
	cpu float64 // seconds
	kib float64 // resident now
}

// usage reads what Linux knows of a process; elsewhere it is 0.
func usage(pid int) (u used) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u
	}
	// The name in parentheses may hold spaces.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+2:]))
	for _, ticks := range fields[11:13] {
		n, _ := strconv.ParseFloat(ticks, 64) // always a number
		u.cpu += n / 100
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u
	}
	for line := range strings.Lines(string(status)) {
		if rest, ok := strings.CutPrefix(line, "VmRSS:"); ok {
			u.kib, _ = strconv.ParseFloat(strings.Fields(rest)[0], 64)
		}
	}
	return u
}
