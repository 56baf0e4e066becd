package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"

	"aila/proto"
)

// tailOptions is what `aila tail` can be asked for.
type tailOptions struct {
	url    string
	token  string // the operator's; empty: none is sent
	file   string // a log in JSON, - for standard input; empty: the server
	past   int
	count  int  // 0: no end
	json   bool // lines as they came
	color  string
	stack  bool // whole stacks
	filter tailFilter
}

// The values of --color.
const (
	colorAuto   = "auto"
	colorAlways = "always"
	colorNever  = "never"
)

// newTailCommand shows the supervision log as it happens.
func newTailCommand() *cobra.Command {
	c := defaults()
	o := tailOptions{url: "http://127.0.0.1:3001", past: 10, color: colorAuto, filter: tailFilter{level: "info"}}
	cmd := &cobra.Command{
		Use:   "tail",
		Short: "Show what happens to sessions and their actors",
		Long: "Show the supervision log of a running server as it happens: who comes and goes, what crashes, what is restarted. It\n" +
			"connects again by itself and takes up where it was cut. With --file it reads a log in JSON instead (- is standard input).",
		Example: "  aila tail\n  aila tail --level warn --session 7QX2\n  aila tail --event actor_failed,actor_restarted --json | jq .\n" +
			"  aila serve 2>&1 | aila tail --file -",
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.StringVar(&o.url, "url", o.url, "the server's `URL`")
	f.StringVar(&o.token, "token", "", "operator `token`; other users of this machine do not see it in AILA_OPERATOR_TOKEN")
	from := bind(f, &c, "operator-token-file")
	f.StringVar(&o.file, "file", "", "read the log in this `file`; - is standard input")
	f.StringVar(&o.filter.session, "session", "", "only of sessions whose `id` begins or ends so")
	f.StringVar(&o.filter.actor, "actor", "", "only of this `actor`: audio, control or voice")
	f.Var(text(&o.filter.level, oneOf(tailLevels...)), "level", "only of this `level` and above: debug, info, warn or error")
	f.Var(list(&o.filter.events, oneOf(proto.Events...)), "event", "only these `events`, such as actor_failed,actor_restarted")
	f.Var(whole(&o.past, 0, 1000), "past", "begin with so many events that happened before")
	f.Var(whole(&o.count, 0, 1<<30), "count", "end after so many events (0: go on)")
	f.BoolVar(&o.json, "json", false, "print events as JSON, one a line")
	f.BoolVar(&o.stack, "stack", false, "print whole stacks of failures, not only their tops")
	f.Var(text(&o.color, oneOf(colorAuto, colorAlways, colorNever)), "color", "auto (on a terminal), always or never")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := from.read(); err != nil {
			return err
		}
		if err := o.readToken(c.OperatorTokenFile); err != nil {
			return err
		}
		return tail(o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
	}
	return cmd
}

// readToken takes the token from the flag, the environment or the server's own file.
func (o *tailOptions) readToken(file string) error {
	if o.token == "" {
		o.token = os.Getenv(envPrefix + "OPERATOR_TOKEN")
	}
	if o.token != "" || file == "" || o.file != "" {
		return nil
	}
	token, err := os.ReadFile(file)
	if err != nil {
		return usageError{fmt.Errorf("read --operator-token-file: %w", err)}
	}
	o.token = strings.TrimSpace(string(token))
	return nil
}

// errEnough ends a tail that printed its --count.
var errEnough = errors.New("as many events as were asked for")

// tail prints events until it is interrupted, has printed enough, or cannot go on.
func tail(o tailOptions, stdin io.Reader, stdout, stderr io.Writer) error {
	p := &tailPrinter{o: o, out: bufio.NewWriter(stdout), paint: paintFor(o.color, stdout)}
	var err error
	if o.file != "" {
		err = p.read(o.file, stdin, stderr)
	} else {
		ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		defer stop()
		err = p.follow(ctx, stderr)
	}
	if flushErr := p.out.Flush(); err == nil {
		err = flushErr
	}
	// Whoever reads the output may have seen enough before we do.
	if errors.Is(err, errEnough) || errors.Is(err, context.Canceled) || errors.Is(err, syscall.EPIPE) {
		return nil
	}
	return err
}

// maxTailLine is how long a line of the log or the stream may be; a stack is the longest.
const maxTailLine = 1 << 20

// read prints the events of a log in JSON. Other lines of it are passed over.
func (p *tailPrinter) read(name string, stdin io.Reader, stderr io.Writer) error {
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return usageError{err}
		}
		defer file.Close()
		in = file
	}
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, maxTailLine)
	seen := false
	for lines.Scan() {
		var e proto.Event
		if json.Unmarshal(lines.Bytes(), &e) != nil || e.Event == "" {
			continue
		}
		seen = true
		if err := p.print(e, lines.Bytes()); err != nil {
			return err
		}
		if err := p.out.Flush(); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read %s: %w", name, err)
	}
	if !seen {
		fmt.Fprintln(stderr, "aila: no line of it is a line of the supervision log in JSON (aila serve --log-format json writes them)")
	}
	return nil
}
