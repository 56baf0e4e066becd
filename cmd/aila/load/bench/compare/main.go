// Command compare measures servers side by side on the same work, in turn, several rounds, and
// prints medians and ratios. Run it in the module's directory:
//
//	go run ./compare -aila ../../../../bin/aila                 frames, floods, idle sessions
//	go run ./compare -aila ../../../../bin/aila -modes cost     how cost grows with sessions
//	go run ./compare -aila ../../../../bin/aila -modes crowd    500 talk among 15 000 who do not
//	go run ./compare -aila ../../../../bin/aila -capacity       how many can talk, on one core
//
// The peers are go-raw (the floor), go-gws (the fastest Go library with the fastest JSON, no
// actors), go-coder (coder/websocket with encoding/json) and node-ws (ws on Express, a common
// design; it needs node and npm). What is measured of a server is its own: processor time and
// memory as the system counts them. A machine that does other work is noisy: only ratios from
// one run mean anything.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// settings are the flags.
type settings struct {
	rounds   int
	duration time.Duration
	only     []string
	modes    []string
	aila     string
	ailaArgs []string
	json     bool
	pin      bool
}

// mode is one kind of work.
type mode struct {
	name   string
	args   []string // of loadgen
	figure string   // what is compared
	unit   string
}

// sets are the modes by the name that -modes knows them by.
var sets = map[string][]mode{
	"stream": {{"stream", words("-mode stream -clients 200"), "server_us_per_frame", "µs/frame"}},
	"flood":  {{"flood", words("-mode flood -clients 50 -window 8"), "server_us_per_frame", "µs/frame"}},
	"idle":   {{"idle", words("-mode idle -clients 5000 -ramp 4000"), "rss_kib_per_client", "KiB/session"}},
	"cost": {
		{"stream 50", words("-mode stream -clients 50"), "server_us_per_frame", "µs/frame"},
		{"stream 200", words("-mode stream -clients 200"), "server_us_per_frame", "µs/frame"},
		{"stream 800", words("-mode stream -clients 800"), "server_us_per_frame", "µs/frame"},
		{"connect 1000", words("-mode idle -clients 1000 -ramp 1000000"), "connect_us", "µs/connect"},
		{"connect 5000", words("-mode idle -clients 5000 -ramp 1000000"), "connect_us", "µs/connect"},
		{"connect 15000", words("-mode idle -clients 15000 -ramp 1000000"), "connect_us", "µs/connect"},
	},
	"crowd": {{"crowd", words("-mode stream -clients 500 -idle 15000 -ramp 4000"), "rss_mib", "MiB"}},
}

func words(s string) []string { return strings.Fields(s) }

func main() {
	var s settings
	var only, modes, ailaArgs string
	capacity := false
	flag.IntVar(&s.rounds, "rounds", 3, "rounds, of which the median counts")
	flag.DurationVar(&s.duration, "duration", 4*time.Second, "what is measured of each round")
	flag.StringVar(&only, "only", "go-raw,go-gws,go-coder,node-ws", "`peers` to measure")
	flag.StringVar(&modes, "modes", "stream,flood,idle", "`work` to measure: stream, flood, idle, cost, crowd")
	flag.StringVar(&s.aila, "aila", "", "the aila `binary`, measured too")
	flag.StringVar(&ailaArgs, "aila-args", "serve --log-level warn --max-audio-rate 0", "how to start it")
	flag.BoolVar(&s.json, "json", false, "print JSON")
	flag.BoolVar(&s.pin, "pin", false, "server on processor 0, load on 1 (needs taskset)")
	flag.BoolVar(&capacity, "capacity", false, "search how many can talk, for aila and node-ws, pinned (with aila load --find-capacity)")
	flag.Parse()
	s.only, s.ailaArgs = strings.Split(only, ","), words(ailaArgs)
	err := error(nil)
	if capacity {
		err = findCapacity(s)
	} else {
		err = compare(s, strings.Split(modes, ","))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "compare:", err)
		os.Exit(1)
	}
}

// figures are those of one round, by name.
type figures map[string]any

func (f figures) number(name string) float64 {
	if x, ok := f[name].(float64); ok {
		return x
	}
	return math.NaN()
}

// results are the rounds of each mode and server.
type results map[[2]string][]figures

func (r results) median(mode, server, name string) float64 {
	var all []float64
	for _, f := range r[[2]string{mode, server}] {
		all = append(all, f.number(name))
	}
	if len(all) == 0 {
		return math.NaN()
	}
	slices.Sort(all)
	return (all[(len(all)-1)/2] + all[len(all)/2]) / 2
}

// compare measures and prints.
func compare(s settings, names []string) error {
	bench, err := newBench(s)
	if err != nil {
		return err
	}
	defer bench.close()
	var modes []mode
	for _, n := range names {
		set, ok := sets[n]
		if !ok {
			return fmt.Errorf("no work is called %q", n)
		}
		modes = append(modes, set...)
	}
	servers := s.only
	if s.aila != "" {
		servers = append(slices.Clone(servers), "aila")
	}
	got := results{}
	for range s.rounds {
		for _, m := range modes {
			for _, i := range rand.Perm(len(servers)) {
				f, err := bench.measure(servers[i], m)
				if err != nil {
					fmt.Fprintf(os.Stderr, "%s, %s: %v\n", servers[i], m.name, err)
					continue
				}
				key := [2]string{m.name, servers[i]}
				got[key] = append(got[key], f)
			}
		}
	}
	if s.json {
		return printJSON(got, modes, servers)
	}
	return printTable(got, modes, servers)
}

// columns are what is printed of each median besides the figure compared.
var columns = []string{"rx_per_s", "p50_ms", "p99_ms", "connect_s", "rss_mib", "closed", "failed"}

func printTable(got results, modes []mode, servers []string) error {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "work\tserver\tfigure\t\tvs go-raw\tvs node-ws\t"+strings.Join(columns, "\t")+"\t")
	for _, m := range modes {
		for _, server := range servers {
			v := got.median(m.name, server, m.figure)
			fmt.Fprintf(w, "%s\t%s\t%.2f\t%s\t%s\t%s\t", m.name, server, v, m.unit, ratio(v, got.median(m.name, "go-raw", m.figure)), ratio(v, got.median(m.name, "node-ws", m.figure)))
			for _, c := range columns {
				fmt.Fprintf(w, "%.4g\t", got.median(m.name, server, c))
			}
			fmt.Fprintln(w)
		}
	}
	return w.Flush()
}

func ratio(a, b float64) string {
	if math.IsNaN(a) || math.IsNaN(b) || b == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f", a/b)
}

func printJSON(got results, modes []mode, servers []string) error {
	var all []map[string]any
	for _, m := range modes {
		for _, server := range servers {
			row := map[string]any{"work": m.name, "server": server, "figure": m.figure, "rounds": len(got[[2]string{m.name, server}])}
			for _, c := range append([]string{m.figure}, columns...) {
				if v := got.median(m.name, server, c); !math.IsNaN(v) {
					row[c] = v
				}
			}
			all = append(all, row)
		}
	}
	return json.NewEncoder(os.Stdout).Encode(all)
}
