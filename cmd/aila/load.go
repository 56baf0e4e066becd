package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"aila/cmd/aila/load"
	"aila/proto"
)

// loadOptions is what `aila load` can be asked for.
type loadOptions struct {
	load.Options
	frameMS      int
	audio        string
	operatorFile string
	json         string
	csv          string
	html         string
	slo          load.SLO
	sloText      string
	findCapacity bool
	command      string
}

// capacitySLO is what --find-capacity holds the server to when it is told nothing else.
const capacitySLO = "p99<20ms,lost=0,doubled=0,differing=0,errors=0"

// newLoadCommand puts a server under load.
func newLoadCommand() *cobra.Command {
	o := loadOptions{frameMS: 20, Options: load.Options{
		URL: "ws://127.0.0.1:3001/ws", Clients: 100, Duration: 30 * time.Second, Voice: "echo", Format: proto.DefaultFormat, Seed: 1,
	}}
	cmd := &cobra.Command{
		Use:   "load",
		Short: "Put a server under the load of many sessions, and check every echoed sample",
		Long: "Put a server under the load of many real sessions, each of which says recorded speech as fast as it is spoken and\n" +
			"compares every echo with it. Times count from when a frame should have been sent, so that no stall hides.\n\n" +
			"It exits with 0 if the --slo is met (or none was given), 1 if not, and 2 if it could not run. Ctrl-C ends it with a report.",
		Example: "  aila load --clients 500 --duration 30s --slo 'p99<50ms,lost=0,doubled=0,errors<0.1%' --html report.html\n" +
			"  aila load --clients 200 --cut-rate 5 --churn 2 --think 4s/6s\n" +
			"  aila load --find-capacity --duration 10s",
		Args: cobra.NoArgs,
	}
	o.flags(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.read(); err != nil {
			return usageError{err}
		}
		return o.run(cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

func (o *loadOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.URL, "url", o.URL, "the server's `URL`")
	f.VarP(whole(&o.Clients, 1, 1_000_000), "clients", "n", "sessions at once")
	f.VarP(span(&o.Duration, 100*time.Millisecond, 7*24*time.Hour), "duration", "d", "how long they talk, once all have joined")
	f.Var(span(&o.Ramp, 0, time.Hour), "ramp", "the time in which they join (0s: 500 of them a second)")
	f.StringVar(&o.audio, "audio", "", "WAV `file` to say (default: speech built in)")
	f.Var(whole(&o.frameMS, 10, 1000), "frame-ms", "milliseconds of audio in a message")
	f.BoolVar(&o.Binary, "binary", false, "send and receive audio as binary messages")
	f.Var(typed[proto.Format]{&o.Format, "format", load.ParseFormat, func(f proto.Format) any { return load.FormatText(f) }}, "format", "audio of the sessions, as `encoding/rate/channels`: pcm16, pcmu, pcma or opus")
	f.StringVar(&o.Voice, "voice", o.Voice, "the `voice`, which must be one that echoes")
	f.Var(typed[load.Turns]{&o.Turns, "turns", load.ParseTurns, func(t load.Turns) any { return t.String() }}, "think", "talk and listen in turns, as `4s/6s`")
	f.Var(number(&o.Churn, 0, 1e5), "churn", "sessions each second that end and are replaced")
	f.Var(number(&o.CutRate, 0, 1e5), "cut-rate", "sockets each second that are cut, and resumed")
	f.Var(number(&o.CrashRate, 0, 1e5), "crash-rate", "actors each second that are crashed (the server needs --fault-injection)")
	f.Var(typed[load.Spike]{&o.Spike, "crowd", load.ParseSpike, func(s load.Spike) any { return s.String() }}, "spike", "a crowd besides, as `500@10s+5s`: 500 clients, 10 s after the ramp, for 5 s")
	f.Uint64Var(&o.Seed, "seed", o.Seed, "`number` that draws who is cut, crashed and replaced")
	f.StringVar(&o.operatorFile, "operator-token-file", "", "`file` of the operators' token, for --crash-rate")
	f.StringVar(&o.Token, "token", "", "`token` to connect with; other users of this machine do not see it in AILA_TOKEN")
	f.StringVar(&o.sloText, "slo", "", "`clauses` that decide the exit status, such as p99<50ms,lost=0,doubled=0,errors<0.1%")
	f.BoolVar(&o.findCapacity, "find-capacity", false, "search for the most clients that meet the --slo (default "+capacitySLO+")")
	f.StringVar(&o.json, "json", "", "`file` for the report as JSON; - is standard output")
	f.StringVar(&o.csv, "csv", "", "`file` for one row a second")
	f.StringVar(&o.html, "html", "", "`file` for the report as a page of its own")
	f.SortFlags = false
}

// read makes of the flags what the run needs.
func (o *loadOptions) read() (err error) {
	o.Frame = time.Duration(o.frameMS) * time.Millisecond
	o.command = "aila " + quoted(os.Args[1:])
	if o.Token == "" {
		o.Token = os.Getenv(envPrefix + "TOKEN")
	}
	if o.operatorFile != "" {
		token, err := os.ReadFile(o.operatorFile)
		if err != nil {
			return fmt.Errorf("read --operator-token-file: %w", err)
		}
		o.OperatorToken = strings.TrimSpace(string(token))
	}
	if o.findCapacity && o.sloText == "" {
		o.sloText = capacitySLO
	}
	if o.sloText != "" {
		if o.slo, err = load.ParseSLO(o.sloText); err != nil {
			return fmt.Errorf("--slo: %w", err)
		}
	}
	return o.readAudio()
}

// readAudio reads what is to be said.
func (o *loadOptions) readAudio() error {
	text := sentence
	if o.audio != "" {
		var err error
		if text, err = os.ReadFile(o.audio); err != nil {
			return fmt.Errorf("read --audio: %w", err)
		}
	}
	in, err := readWAV(bytes.NewReader(text))
	if err != nil {
		return fmt.Errorf("--audio %s: %w", o.audio, err)
	}
	o.Source = in.format
	if o.Audio, err = io.ReadAll(in.r); err != nil {
		return fmt.Errorf("read --audio: %w", err)
	}
	return nil
}

// quoted writes arguments as a shell reads them, tokens left out.
func quoted(args []string) string {
	var b strings.Builder
	hide := false
	for _, a := range args {
		switch {
		case hide:
			a, hide = "…", false
		case a == "--token":
			hide = true
		case strings.HasPrefix(a, "--token="):
			a = "--token=…"
		}
		if strings.ContainsAny(a, " <>&|;()$*?'\"\\") {
			a = "'" + strings.ReplaceAll(a, "'", `'\''`) + "'"
		}
		b.WriteString(" " + a)
	}
	return strings.TrimPrefix(b.String(), " ")
}

// run makes the load, reports, and judges.
func (o *loadOptions) run(stdout, stderr io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	watch := newLoadWatch(stderr)
	o.Tick = watch.tick
	var p *load.Report
	var err error
	if o.findCapacity {
		p, err = load.Capacity(ctx, o.Options, o.slo, watch.trial)
	} else {
		p, err = load.Run(ctx, o.Options)
	}
	watch.done()
	if err != nil {
		return usageError{fmt.Errorf("%s: %w", o.URL, err)}
	}
	p.Command, p.Version = o.command, thisVersion().Commit
	met := o.slo == nil || o.slo.Judge(p)
	if err := o.write(p, stdout); err != nil {
		return usageError{err}
	}
	if !met {
		return fmt.Errorf("not met: %s", p.Failed())
	}
	return nil
}

// write writes the report wherever it was asked for.
func (o *loadOptions) write(p *load.Report, stdout io.Writer) error {
	var failed error
	for _, to := range []struct {
		name  string
		write func(io.Writer) error
	}{{o.json, p.WriteJSON}, {o.csv, p.WriteCSV}, {o.html, p.WriteHTML}} {
		if to.name != "" {
			failed = errors.Join(failed, writeTo(to.name, stdout, to.write))
		}
	}
	if o.json != "-" && o.csv != "-" && o.html != "-" {
		failed = errors.Join(failed, p.WriteTable(stdout))
	}
	return failed
}

func writeTo(name string, stdout io.Writer, write func(io.Writer) error) error {
	if name == "-" {
		return write(stdout)
	}
	file, err := os.Create(name)
	if err != nil {
		return err
	}
	return errors.Join(write(file), file.Close())
}

// loadWatch shows a run under way: on a terminal one line that changes, else a line now and then.
type loadWatch struct {
	w     io.Writer
	live  bool
	ticks int
}

// quietTicks is how many seconds pass from one line to the next where there is no terminal.
const quietTicks = 10

func newLoadWatch(w io.Writer) *loadWatch {
	return &loadWatch{w: w, live: terminal(w) && os.Getenv("TERM") != "dumb"}
}

func (v *loadWatch) tick(l load.Live) {
	v.ticks++
	if v.live {
		f := v.w.(*os.File) // what is live is a terminal, and so a file
		fmt.Fprintf(v.w, "\r%s\x1b[K", l.Line(load.Columns(f)-1))
	} else if v.ticks%quietTicks == 0 {
		fmt.Fprintln(v.w, l.Line(200))
	}
}

func (v *loadWatch) trial(t load.Trial) {
	v.done()
	verdict := "met"
	if !t.Met {
		verdict = t.Failed
	}
	fmt.Fprintf(v.w, "%6d clients  p99 %8.2f ms  %s\n", t.Clients, t.P99, verdict)
}

// done leaves the line.
func (v *loadWatch) done() {
	if v.live && v.ticks > 0 {
		fmt.Fprint(v.w, "\r\x1b[K")
	}
	v.ticks = 0
}
