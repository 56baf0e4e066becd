package main

import (
	"bytes"
	"time"
)

// ledger holds what was said until an echo of it is heard, and judges whether the echo says
// the same. The zero ledger is empty.
type ledger struct {
	open []utterance
	// right, wrong and missing count frames: echoed to the byte; echoed differently, or never
	// said; passed over by the echo of a later one.
	right, wrong, missing int64
}

// utterance is one frame that was said.
type utterance struct {
	seq  int64
	data []byte
	at   time.Time
}

// say enters a frame. It copies pcm.
func (l *ledger) say(seq int64, pcm []byte, at time.Time) {
	l.open = append(l.open, utterance{seq, bytes.Clone(pcm), at})
}

// hear strikes out the frame that was echoed: that numbered re, or for a re of 0 the first
// that has these samples. It gives when the frame was said; zero: it never was.
func (l *ledger) hear(re int64, pcm []byte) time.Time {
	for i, u := range l.open {
		same := bytes.Equal(u.data, pcm)
		if re != 0 && u.seq != re || re == 0 && !same {
			continue
		}
		l.missing += int64(i)
		l.open = l.open[i+1:]
		if same {
			l.right++
		} else {
			l.wrong++
		}
		return u.at
	}
	l.wrong++
	return time.Time{}
}

// close strikes out the rest: nothing more will be heard.
func (l *ledger) close() {
	l.missing += int64(len(l.open))
	l.open = nil
}
