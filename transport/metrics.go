package transport

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"aila/proto"
)

// metrics are the Server's own. What sessions count is told elsewhere.
type metrics struct {
	closes  *prometheus.CounterVec
	errors  *prometheus.CounterVec
	refused *prometheus.CounterVec
	panics  prometheus.Counter
}

func newMetrics(r *prometheus.Registry, s *Server) *metrics {
	m := &metrics{
		closes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aila_socket_closes_total",
			Help: "Sockets closed, by close code; lost: without one, other: a code of the client's own.",
		}, []string{"code"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aila_socket_errors_total",
			Help: "Errors said to clients before their session began, by code.",
		}, []string{"code"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "aila_handshakes_refused_total",
			Help: "Handshakes refused, by HTTP status.",
		}, []string{"status"}),
		panics: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "aila_socket_panics_total",
			Help: "Bugs that cost a socket.",
		}),
	}
	sockets := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "aila_sockets",
		Help: "Sockets open.",
	}, func() float64 { return float64(s.Sockets()) })
	r.MustRegister(m.closes, m.errors, m.refused, m.panics, sockets)
	return m
}

// closed counts a socket that has ended.
func (m *metrics) closed(c proto.Close) {
	m.closes.WithLabelValues(closeLabel(c.Code)).Inc()
}

// failed counts an error said before a session.
func (m *metrics) failed(c proto.Code) { m.errors.WithLabelValues(string(c)).Inc() }

// closeLabel keeps clients from inventing labels.
func closeLabel(code int) string {
	switch {
	case code == 0:
		return "lost"
	case code >= 1000 && code <= 1014,
		code >= 4001 && code <= 4003, code == 4500, code >= 4502 && code <= 4505, code == 4507:
		return strconv.Itoa(code)
	}
	return "other"
}
