package operator

import (
	"github.com/prometheus/client_golang/prometheus"

	"aila/proto"
)

// family is one metric with its labels' closed sets.
type family struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	read func(s proto.Stats, emit emit)
}

// emit gives one sample of a family.
type emit func(value float64, labels ...string)

// collector turns an Operator's totals into metrics at the moment of the scrape, so that
// counting costs the sessions nothing more.
type collector struct {
	op       proto.Operator
	families []family
	frames   *prometheus.Desc
}

// NewCollector makes the aila_ metrics out of what op counts.
func NewCollector(op proto.Operator) prometheus.Collector {
	return &collector{
		op:       op,
		families: append(sessionFamilies(), frameFamilies()...),
		frames:   prometheus.NewDesc("aila_frame_seconds", "Time of an audio frame from read to written.", nil, nil),
	}
}

func gauge(name, help string, read func(proto.Stats, emit), labels ...string) family {
	return family{prometheus.NewDesc(name, help, labels, nil), prometheus.GaugeValue, read}
}

func counter(name, help string, read func(proto.Stats, emit), labels ...string) family {
	return family{prometheus.NewDesc(name, help, labels, nil), prometheus.CounterValue, read}
}

func sessionFamilies() []family {
	return []family{
		gauge("aila_sessions", "Sessions present, by state.", func(s proto.Stats, e emit) {
			each(s.Sessions, states, e)
		}, "state"),
		gauge("aila_draining", "1 while the server drains.", func(s proto.Stats, e emit) {
			if s.Draining {
				e(1)
			} else {
				e(0)
			}
		}),
		counter("aila_sessions_started_total", "Sessions started.", func(s proto.Stats, e emit) {
			e(float64(s.Started))
		}),
		counter("aila_sessions_ended_total", "Sessions ended, by reason.", func(s proto.Stats, e emit) {
			each(s.Ended, endReasons, e)
		}, "reason"),
		counter("aila_actor_restarts_total", "Actors restarted after a crash.", func(s proto.Stats, e emit) {
			each(s.Restarts, []string{"audio", "control", "voice", "sessions"}, e)
		}, "actor"),
		counter("aila_resumes_total", "Resumes asked for, by result.", func(s proto.Stats, e emit) {
			each(s.Resumes, []string{"ok", "refused", "gone"}, e)
		}, "result"),
		counter("aila_protocol_errors_total", "Errors said to clients, by code.", func(s proto.Stats, e emit) {
			each(s.Errors, proto.Codes, e)
		}, "code"),
		gauge("aila_replay_buffer_bytes", "Bytes kept for replay until clients acknowledge them.", func(s proto.Stats, e emit) {
			e(float64(s.ReplayBytes))
		}),
	}
}

func frameFamilies() []family {
	return []family{
		counter("aila_frames_total", "Messages, by direction and kind.", func(s proto.Stats, e emit) {
			labelled := func(direction string) emit {
				return func(v float64, kind ...string) { e(v, direction, kind[0]) }
			}
			each(s.FramesIn, []string{"audio", "gap", "text", "control", "ack", "refused"}, labelled("in"))
			each(s.FramesOut, []string{"audio", "ack", "error", "event"}, labelled("out"))
		}, "direction", "kind"),
		counter("aila_audio_seconds_total", "Audio carried, in seconds, by direction.", func(s proto.Stats, e emit) {
			e(s.AudioIn, "in")
			e(s.AudioOut, "out")
		}, "direction"),
		counter("aila_samples_lost_total", "Samples that never reached a voice, by reason.", func(s proto.Stats, e emit) {
			each(s.SamplesLost, []proto.GapReason{proto.GapRestarted, proto.GapUnavailable}, e)
		}, "reason"),
		counter("aila_backpressure_seconds_total", "Time that read loops waited for credit.", func(s proto.Stats, e emit) {
			e(s.Backpressure)
		}),
	}
}

var endReasons = []proto.EndReason{
	proto.EndClient, proto.EndOperator, proto.EndIdle, proto.EndMaxDuration, proto.EndFailed, proto.EndShutdown,
}

// each emits a closed set of labels, 0 where nothing was counted yet, so that a rate over a
// counter's first step is not lost.
func each[K ~string](counts map[K]int64, set []K, e emit) {
	for _, k := range set {
		e(float64(counts[k]), string(k))
	}
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(ch chan<- *prometheus.Desc) {
	for _, f := range c.families {
		ch <- f.desc
	}
	ch <- c.frames
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(ch chan<- prometheus.Metric) {
	s := c.op.Stats()
	for _, f := range c.families {
		f.read(s, func(v float64, labels ...string) {
			ch <- prometheus.MustNewConstMetric(f.desc, f.kind, v, labels...)
		})
	}
	h := s.FrameSeconds
	buckets, sum := make(map[float64]uint64, len(h.Bounds)), uint64(0)
	for i, n := range h.Counts {
		sum += uint64(n)
		if i < len(h.Bounds) {
			buckets[h.Bounds[i]] = sum
		}
	}
	ch <- prometheus.MustNewConstHistogram(c.frames, sum, h.Sum, buckets)
}

// Descriptions of what the API counts itself.
var (
	readersDesc = prometheus.NewDesc("aila_event_readers", "Readers of the operators' event stream.", nil, nil)
	droppedDesc = prometheus.NewDesc("aila_event_readers_dropped_total", "Readers of the event stream dropped because they were too slow.", nil, nil)
)

// Describe implements prometheus.Collector.
func (a *API) Describe(ch chan<- *prometheus.Desc) { ch <- readersDesc; ch <- droppedDesc }

// Collect implements prometheus.Collector: what the API counts itself.
func (a *API) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.MustNewConstMetric(readersDesc, prometheus.GaugeValue, float64(a.readers.Load()))
	ch <- prometheus.MustNewConstMetric(droppedDesc, prometheus.CounterValue, float64(a.dropped.Load()))
}
