package load

import (
	"context"
	"errors"
)

// Capacity searches for the largest number of clients with which slo is met: from o.Clients
// up by doubling, or down by halving, then between what was met and what was not until they
// are 4 % apart. A trial that fails is made once more, since one hiccup of the machine is no
// limit of the server. It reports the run with the most clients that met slo, or, where none
// did, the last. Each trial has new sessions, and the seed's next value. Said is told of every
// trial.
func Capacity(ctx context.Context, o Options, slo SLO, said func(Trial)) (*Report, error) {
	c := capacity{o: o, slo: slo, said: said}
	met, not := 0, 0 // the most clients that were good, the fewest that were not; 0: none yet
	for n := o.Clients; n > 0 && ctx.Err() == nil; n = next(met, not) {
		good, err := c.try(ctx, n)
		if err != nil {
			return nil, err
		}
		if good {
			met = n
		} else {
			not = n
		}
	}
	best := c.best
	if best == nil {
		best = c.last
	}
	if best == nil {
		return nil, context.Cause(ctx)
	}
	best.Trials, best.Capacity = c.trials, met
	return best, nil
}

// next is how many clients to try next; 0: it is known well enough.
func next(met, not int) int {
	switch {
	case not == 0:
		return 2 * met
	case met == 0:
		return not / 2
	case not-met <= max(1, not/25):
		return 0
	}
	return (met + not) / 2
}

// Trial is one run of the search.
type Trial struct {
	Clients int     `json:"clients"`
	P99     float64 `json:"p99_ms"`
	Lost    int64   `json:"lost"`
	Met     bool    `json:"met"`
	// Failed names the clauses that were not met.
	Failed string `json:"failed,omitempty"`
	// OwnFault says that the generator and not the server may have been the limit.
	OwnFault bool `json:"own_fault,omitempty"`
}

type capacity struct {
	o      Options
	slo    SLO
	said   func(Trial)
	trials []Trial
	best   *Report // the good run with the most clients
	last   *Report
}

// try tells whether so many clients are good.
func (c *capacity) try(ctx context.Context, n int) (bool, error) {
	for range 2 {
		o := c.o
		o.Clients = n
		o.Seed += uint64(len(c.trials))
		p, err := Run(ctx, o)
		if errors.Is(err, ErrNobody) && len(c.trials) > 0 {
			c.add(Trial{Clients: n, Failed: err.Error()})
			continue
		}
		if err != nil {
			return false, err
		}
		c.last = p
		met := c.slo.Judge(p) && !p.Stopped
		failed := p.Failed()
		if p.Stopped {
			failed = "stopped"
		}
		c.add(Trial{Clients: n, P99: p.Echo.P99, Lost: p.Frames.Lost, Met: met, Failed: failed, OwnFault: p.ownFault})
		if met {
			c.best = p
			return true, nil
		}
		if ctx.Err() != nil {
			break
		}
	}
	return false, nil
}

func (c *capacity) add(t Trial) {
	c.trials = append(c.trials, t)
	if c.said != nil {
		c.said(t)
	}
}
