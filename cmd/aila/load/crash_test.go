package load

import (
	"context"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestOnlyRefusalsCountAsRefused: an order that finds its session gone is no refusal.
func TestOnlyRefusalsCountAsRefused(t *testing.T) {
	for status, want := range map[int]Events{
		http.StatusAccepted:  {Crashed: 1},
		http.StatusNotFound:  {},
		http.StatusForbidden: {CrashRefused: 1},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
			if q.Method != http.MethodPost || !strings.HasPrefix(q.URL.Path, "/api/v1/sessions/x/actors/") {
				t.Errorf("asked for %s %s", q.Method, q.URL.Path)
			}
			w.WriteHeader(status)
		}))
		r := &run{o: Options{URL: "ws" + strings.TrimPrefix(srv.URL, "http") + "/ws"}, events: newEvents(), ending: context.Background()}
		s := &slot{run: r}
		s.call.Store(&call{id: "x"})
		newCrasher(r).crash(s, rand.New(rand.NewPCG(1, 1)))
		r.wg.Wait()
		srv.Close()
		if got := r.events.read(); got.Crashed != want.Crashed || got.CrashRefused != want.CrashRefused {
			t.Errorf("answered %d: %d crashed and %d refused, want %d and %d", status, got.Crashed, got.CrashRefused, want.Crashed, want.CrashRefused)
		}
	}
}
