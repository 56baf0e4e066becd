package main

import (
	"io"
	"os"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/rs/zerolog"
	"github.com/rs/zerolog/diode"
)

// The values of --log-format.
const (
	formatAuto   = "auto"
	formatJSON   = "json"
	formatPretty = "pretty"
)

const (
	// logLines is how many lines may wait for whoever reads the log.
	logLines = 16 << 10
	// logFlush is how long an exit waits for the last lines to be written.
	logFlush = time.Second
)

// init sets the names of the log's fields, once for the process and before any logger is made.
func init() {
	zerolog.ErrorFieldName = "err"
	zerolog.ErrorStackFieldName = "stack"
	zerolog.TimeFieldFormat = "2006-01-02T15:04:05.000Z07:00"
	zerolog.TimestampFunc = func() time.Time { return time.Now().UTC() }
}

// logbook is the one log of the process. Who writes to it never waits: what its reader cannot
// take in time is dropped and counted.
type logbook struct {
	zerolog.Logger
	// pretty says that the log is for a person at a terminal.
	pretty bool
	diode  diode.Writer
}

// openLog begins to log to out, as the level and format of c say. Close ends it.
func openLog(c config, out io.Writer) (*logbook, error) {
	level, err := zerolog.ParseLevel(c.LogLevel)
	if err != nil {
		return nil, err
	}
	l := &logbook{pretty: c.LogFormat == formatPretty || c.LogFormat == formatAuto && terminal(out)}
	if l.pretty {
		out = zerolog.ConsoleWriter{Out: out, TimeFormat: "15:04:05.000", NoColor: !terminal(out) || os.Getenv("NO_COLOR") != ""}
	}
	direct := zerolog.New(out).With().Timestamp().Logger()
	// The diode closes what it can, and out is not ours to close.
	l.diode = diode.NewWriter(struct{ io.Writer }{out}, logLines, 0, func(missed int) {
		// The diode's own goroutine calls this between two lines, so it may write past it.
		direct.Warn().Int("count", missed).Msg("log lines dropped")
	})
	l.Logger = zerolog.New(l.diode).Level(level).With().Timestamp().Logger()
	return l, nil
}

// Close writes what waits, but does not wait for ever on a reader who stopped.
func (l *logbook) Close() {
	done := make(chan struct{})
	// It ends when the reader takes the last line, or with the process.
	go func() {
		defer close(done)
		_ = l.diode.Close()
	}()
	select {
	case <-done:
	case <-time.After(logFlush):
	}
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && isatty.IsTerminal(f.Fd())
}
