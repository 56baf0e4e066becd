package actors

import (
	"sync/atomic"
	"time"

	"aila/proto"
)

// What is counted of messages, by kind.
const (
	kindAudio = iota
	kindGap
	kindText
	kindControl
	kindAck
	kindRefused
	kindsIn
)

const (
	kindAudioOut = iota
	kindAckOut
	kindError
	kindEvent
	kindsOut
)

var (
	kindNamesIn  = [kindsIn]string{"audio", "gap", "text", "control", "ack", "refused"}
	kindNamesOut = [kindsOut]string{"audio", "ack", "error", "event"}
	lostReasons  = [...]proto.GapReason{proto.GapRestarted, proto.GapUnavailable}
)

// kindIn is the kind that a message counts as.
func kindIn(m proto.Inbound) int {
	switch m.(type) {
	case *proto.AudioIn:
		return kindAudio
	case *proto.GapIn:
		return kindGap
	case *proto.TextIn:
		return kindText
	case *proto.AckIn, *proto.Playback:
		return kindAck
	case *proto.Refused:
		return kindRefused
	}
	return kindControl
}

// counts are a session's figures. Its session adds, anybody reads.
type counts struct {
	in         [kindsIn]atomic.Int64
	out        [kindsOut]atomic.Int64
	samplesIn  atomic.Int64
	samplesOut atomic.Int64
	lost       [len(lostReasons)]atomic.Int64
	resumes    atomic.Int64
	replay     atomic.Int64 // bytes kept
}

// totals are the figures of the sessions that ended, and of what no session owns.
type totals struct {
	started  atomic.Int64
	ended    [len(endReasons)]atomic.Int64
	in       [kindsIn]atomic.Int64
	out      [kindsOut]atomic.Int64
	audioIn  atomic.Int64 // nanoseconds
	audioOut atomic.Int64 // nanoseconds
	lost     [len(lostReasons)]atomic.Int64
}

var endReasons = [...]proto.EndReason{
	proto.EndClient, proto.EndOperator, proto.EndIdle, proto.EndMaxDuration, proto.EndFailed, proto.EndShutdown,
}

// add takes an ended session's figures over.
func (t *totals) add(r *record, reason proto.EndReason) {
	for i, known := range endReasons {
		if known == reason {
			t.ended[i].Add(1)
		}
	}
	for i := range t.in {
		t.in[i].Add(r.counts.in[i].Load())
	}
	for i := range t.out {
		t.out[i].Add(r.counts.out[i].Load())
	}
	for i := range t.lost {
		t.lost[i].Add(r.counts.lost[i].Load())
	}
	t.audioIn.Add(int64(r.format.Duration(r.counts.samplesIn.Load())))
	t.audioOut.Add(int64(r.format.Duration(r.counts.samplesOut.Load())))
}

// tally counts what belongs to the whole server.
type tally struct {
	restarts     [len(children)]atomic.Int64
	managerFails atomic.Int64
	resumes      [len(resumeResults)]atomic.Int64
	errors       [64]atomic.Int64 // by place in proto.Codes
	backpressure atomic.Int64     // nanoseconds
	unhandled    atomic.Int64     // messages that an actor did not know: a bug of ours
	frames       histogram
}

// The results of a resume.
const (
	resumeOK = iota
	resumeRefused
	resumeGone
)

var resumeResults = [...]string{resumeOK: "ok", resumeRefused: "refused", resumeGone: "gone"}

// fault counts an error that was said.
func (t *tally) fault(c proto.Code) {
	for i, known := range proto.Codes {
		if known == c {
			t.errors[i].Add(1)
			return
		}
	}
}

// frameBounds are the upper bounds of the frame histogram, in seconds: from what a frame costs
// when nothing is in its way to what a user would hear.
var frameBounds = [...]float64{
	25e-6, 50e-6, 100e-6, 250e-6, 500e-6, 1e-3, 2.5e-3, 5e-3, 10e-3, 25e-3, 50e-3, 100e-3, 250e-3, 1,
}

const histogramShards = 8

// histogram is spread over shards, so that two cores do not fight for one cache line.
type histogram [histogramShards]struct {
	counts [len(frameBounds) + 1]atomic.Int64
	sum    atomic.Int64 // nanoseconds
}

// observe counts one duration; shard is any number that differs between sessions.
func (h *histogram) observe(shard int, d time.Duration) {
	s := &h[shard&(histogramShards-1)]
	i, seconds := 0, d.Seconds()
	for i < len(frameBounds) && seconds > frameBounds[i] {
		i++
	}
	s.counts[i].Add(1)
	s.sum.Add(int64(d))
}

// read adds the shards up.
func (h *histogram) read() proto.Histogram {
	out := proto.Histogram{Bounds: frameBounds[:], Counts: make([]int64, len(frameBounds)+1)}
	for s := range h {
		for i := range out.Counts {
			out.Counts[i] += h[s].counts[i].Load()
		}
		out.Sum += time.Duration(h[s].sum.Load()).Seconds()
	}
	return out
}

// stats adds everything up.
func (h *hub) stats() proto.Stats {
	t := &h.books.totals
	s := proto.Stats{
		Sessions: map[proto.State]int64{}, Ended: map[proto.EndReason]int64{}, FramesIn: map[string]int64{},
		FramesOut: map[string]int64{}, SamplesLost: map[proto.GapReason]int64{}, Restarts: map[string]int64{},
		Resumes: map[string]int64{}, Errors: map[proto.Code]int64{}, Started: t.started.Load(),
		Backpressure: time.Duration(h.tally.backpressure.Load()).Seconds(), FrameSeconds: h.tally.frames.read(),
		Draining: h.draining.Load(),
	}
	audioIn, audioOut := time.Duration(t.audioIn.Load()), time.Duration(t.audioOut.Load())
	sum := func(i int, into []atomic.Int64, add int64) int64 { return into[i].Load() + add }
	var in [kindsIn]int64
	var out [kindsOut]int64
	var lost [len(lostReasons)]int64
	for _, r := range h.books.all() {
		s.Sessions[r.currentState()]++
		s.ReplayBytes += r.counts.replay.Load()
		audioIn += r.format.Duration(r.counts.samplesIn.Load())
		audioOut += r.format.Duration(r.counts.samplesOut.Load())
		addTo(in[:], r.counts.in[:])
		addTo(out[:], r.counts.out[:])
		addTo(lost[:], r.counts.lost[:])
	}
	for i, name := range kindNamesIn {
		s.FramesIn[name] = sum(i, t.in[:], in[i])
	}
	for i, name := range kindNamesOut {
		s.FramesOut[name] = sum(i, t.out[:], out[i])
	}
	for i, reason := range lostReasons {
		s.SamplesLost[reason] = sum(i, t.lost[:], lost[i])
	}
	h.tally.into(&s)
	for i, reason := range endReasons {
		s.Ended[reason] = t.ended[i].Load()
	}
	s.AudioIn, s.AudioOut = audioIn.Seconds(), audioOut.Seconds()
	return s
}

// into adds the server's own figures.
func (t *tally) into(s *proto.Stats) {
	for i, name := range children {
		s.Restarts[name] = t.restarts[i].Load()
	}
	s.Restarts["sessions"] = t.managerFails.Load()
	for i, name := range resumeResults {
		s.Resumes[name] = t.resumes[i].Load()
	}
	for i, code := range proto.Codes {
		s.Errors[code] = t.errors[i].Load()
	}
}

func addTo(sums []int64, counts []atomic.Int64) {
	for i := range counts {
		sums[i] += counts[i].Load()
	}
}
