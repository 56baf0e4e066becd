package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"
)

// ErrNobody: not one session could be had.
var ErrNobody = errors.New("no session could be started")

// run is one load under way.
type run struct {
	// set by newRun
	o       Options
	rec     *recording
	network *network
	slots   []*slot // the load's clients, then the spike's
	tallies []*tally
	pacers  []*pacer
	events  *events
	began   time.Time
	talking context.Context // while clients talk and join
	ending  context.Context // while sessions may end
	force   context.CancelFunc

	joining, active atomic.Int64
	stopped         atomic.Int64 // when talking ended, in nanoseconds of the run

	wg sync.WaitGroup // all that spawn started

	mu  sync.Mutex
	rng *rand.Rand // guarded by mu: drawn from while sessions come and go
}

// Run makes the load and reports. When ctx ends it stops early, and reports all the same. An
// error says that it could not run: then there is no report.
func Run(ctx context.Context, o Options) (*Report, error) {
	o = o.withDefaults()
	if err := o.check(); err != nil {
		return nil, err
	}
	r, err := newRun(o)
	if err != nil {
		return nil, err
	}
	talking, stop := context.WithTimeout(ctx, o.Ramp+o.Duration)
	defer stop()
	// The sessions outlive ctx: they are to end by agreement.
	ending, force := context.WithCancel(context.WithoutCancel(ctx))
	defer force()
	r.talking, r.ending, r.force = talking, ending, force
	return r.run()
}

func newRun(o Options) (*run, error) {
	rec, err := record(o)
	if err != nil {
		return nil, fmt.Errorf("cut the recording: %w", err)
	}
	r := &run{o: o, rec: rec, network: newNetwork(o), events: newEvents(), rng: rand.New(rand.NewPCG(o.Seed, 'r'))}
	shards := min(max(1, runtime.GOMAXPROCS(0)), 8)
	bySlot := make([][]*slot, shards)
	for range shards {
		r.tallies = append(r.tallies, newTally(int64(o.Ramp), int64(o.Ramp+o.Duration)))
	}
	for i := range o.Clients + o.Spike.Clients {
		s := &slot{run: r, tally: r.tallies[i%shards], i: i, phase: phaseOf(i, o.Frame)}
		r.slots = append(r.slots, s)
		bySlot[i%shards] = append(bySlot[i%shards], s)
	}
	exactly := time.Duration(exact)
	if o.dial != nil {
		exactly = 0 // a test's time is not the kernel's
	}
	for _, mine := range bySlot {
		r.pacers = append(r.pacers, newPacer(o.Frame, exactly, mine))
	}
	return r, nil
}

// now is nanoseconds since the run began.
func (r *run) now() int64 { return int64(time.Since(r.began)) }

// spawn runs f on a goroutine that run waits for.
func (r *run) spawn(f func()) {
	r.wg.Add(1)
	go func() { // ends with talking or ending
		defer r.wg.Done()
		f()
	}()
}

// jitter draws a wait from half of d to d.
func (r *run) jitter(d time.Duration) time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return d/2 + time.Duration(r.rng.Int64N(int64(d/2)))
}

func (r *run) run() (*Report, error) {
	r.began = time.Now()
	m := newMeter(r)
	measured := make(chan struct{})
	metering, stopMeter := context.WithCancel(context.Background())
	defer stopMeter()
	// It ends when stopMeter is called, below.
	go func() { m.run(metering); close(measured) }()
	for _, p := range r.pacers {
		r.spawn(func() { p.run(r.talking, r.began) })
	}
	r.profiles()
	<-r.talking.Done()
	r.stopped.Store(r.now())
	r.finish()
	stopMeter()
	<-measured
	if r.events.read().Started == 0 {
		return nil, fmt.Errorf("%w: %s", ErrNobody, r.excuse())
	}
	return newReport(r, m), nil
}

// talked is how long clients joined and talked.
func (r *run) talked() time.Duration { return time.Duration(r.stopped.Load()) }

// excuse names what was wrong with connects.
func (r *run) excuse() string {
	e := r.events.read()
	if len(e.Errors) == 0 {
		return "stopped before one was"
	}
	return counted(e.Errors)
}

// finish ends all sessions by agreement, and by force after the grace.
func (r *run) finish() {
	timer := time.AfterFunc(r.o.Grace, r.force)
	defer timer.Stop()
	for _, s := range r.slots {
		s.wanted.Store(false)
		if s.call.Load() != nil {
			r.spawn(func() { s.dismiss(r.ending) })
		}
	}
	r.wg.Wait()
}
