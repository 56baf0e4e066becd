package operator

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"aila/proto"
)

func TestMetricsAreThoseOfTheContract(t *testing.T) {
	f := newFake(4)
	f.stats.FramesIn["audio"] = 7
	f.stats.FrameSeconds.Counts = []int64{90, 9, 0, 0, 0, 0, 1}
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(NewCollector(f), New(Options{}, f))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("lint: %v %v", problems, err)
	}
	labels := map[string][]string{
		"aila_sessions": {"state"}, "aila_sessions_started_total": nil, "aila_sessions_ended_total": {"reason"},
		"aila_frames_total": {"direction", "kind"}, "aila_audio_seconds_total": {"direction"}, "aila_frame_seconds": nil,
		"aila_actor_restarts_total": {"actor"}, "aila_resumes_total": {"result"}, "aila_samples_lost_total": {"reason"},
		"aila_protocol_errors_total": {"code"}, "aila_backpressure_seconds_total": nil, "aila_replay_buffer_bytes": nil,
		"aila_draining": nil, "aila_event_readers": nil, "aila_event_readers_dropped_total": nil,
	}
	for _, mf := range families {
		want, ok := labels[mf.GetName()]
		if !ok {
			t.Errorf("%s is not in the contract", mf.GetName())
		}
		delete(labels, mf.GetName())
		var got []string
		for _, l := range mf.GetMetric()[0].GetLabel() {
			got = append(got, l.GetName())
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s has labels %v, want %v", mf.GetName(), got, want)
		}
		for _, m := range mf.GetMetric() {
			for _, l := range m.GetLabel() {
				if strings.Contains(l.GetValue(), f.order[0]) {
					t.Errorf("%s names a session", mf.GetName())
				}
			}
			if h := m.GetHistogram(); h != nil && (h.GetSampleCount() != 100 || h.GetBucket()[1].GetCumulativeCount() != 99) {
				t.Errorf("histogram: %v", h)
			}
		}
	}
	for name := range labels {
		t.Errorf("%s is missing", name)
	}
}

func TestHistoryHoldsWhatHappenedBetweenTwoPoints(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(4)
		api := New(Options{}, f)
		go api.Run(t.Context()) // ends with the test's context
		synctest.Wait()
		f.mu.Lock()
		f.stats.FramesIn["audio"] += 100
		f.stats.Restarts["voice"] += 3
		f.stats.FrameSeconds.Counts[1] += 100
		f.mu.Unlock()
		time.Sleep(pointEvery) // fake time
		synctest.Wait()
		points := api.history.since(0)
		if len(points) != 1 {
			t.Fatalf("%d points, want 1", len(points))
		}
		p := points[0]
		if p.Sessions != 4 || p.FramesIn != 50 || p.Restarts != 3 || p.P99MS == nil || *p.P99MS < 0.99 || *p.P99MS > 1 {
			t.Errorf("point %+v, p99 %v; want 4 sessions, 50 frames/s, 3 restarts, p99 just under 1 ms", p, p.P99MS)
		}
		time.Sleep(pointEvery * (pointsKept + 5))
		synctest.Wait()
		points = api.history.since(0)
		if len(points) != pointsKept || points[0].P99MS != nil {
			t.Errorf("%d points, p99 %v; want %d and no p99 where no frame passed", len(points), points[0].P99MS, pointsKept)
		}
		if n := len(api.history.since(points[pointsKept-1].TimeMS)); n != 0 {
			t.Errorf("%d points newer than the newest", n)
		}
	})
}

func TestQuantileCountsWhatIsOverEveryBoundAsTheLargest(t *testing.T) {
	h := proto.Histogram{Bounds: []float64{1, 2}, Counts: []int64{0, 0, 5}}
	if got := quantile(0.99, proto.Histogram{}, h); got != 2 {
		t.Errorf("quantile = %v, want 2", got)
	}
}
