package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"aila/proto"
)

const (
	// tailSilence is how long the server may say nothing, its heartbeats included.
	tailSilence = 25 * time.Second
	// tailPatience is how long an answer other than the stream may take.
	tailPatience = 10 * time.Second
	// Between attempts to connect again: from the one to the other, doubling.
	tailWait, tailMaxWait = 200 * time.Millisecond, 5 * time.Second
)

// follow prints what the server says from now on, and the last events before. Where it
// cannot begin it fails; where it is cut later it connects again until it succeeds.
func (p *tailPrinter) follow(ctx context.Context, stderr io.Writer) error {
	base, err := apiURL(p.o.url)
	if err != nil {
		return usageError{err}
	}
	s := &tailSource{base: base, token: p.o.token, printer: p}
	if err := s.past(ctx); err != nil {
		return err
	}
	wait, lost := tailWait, false
	for {
		err := s.stream(ctx, func() {
			if lost {
				fmt.Fprintln(stderr, "aila: connected again")
			}
			wait, lost = tailWait, false
		})
		var cut *cutError
		var refused *refusal
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case errors.As(err, &cut), errors.As(err, &refused) && !refused.final():
		default:
			// It printed enough, is not let in, or standard output is gone.
			return err
		}
		if !lost {
			fmt.Fprintln(stderr, "aila: the connection is lost, trying again")
		}
		lost = true
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait/2 + rand.N(wait)):
		}
		wait = min(2*wait, tailMaxWait)
	}
}

// apiURL gives the address of a server's API from any address of the server.
func apiURL(server string) (*url.URL, error) {
	u, err := url.Parse(server)
	if err != nil || u.Host == "" {
		return nil, fmt.Errorf("--url: got %q, want something like http://127.0.0.1:3001", server)
	}
	switch u.Scheme {
	case "ws":
		u.Scheme = "http"
	case "wss":
		u.Scheme = "https"
	case "http", "https":
	default:
		return nil, fmt.Errorf("--url: got %q, want http, https, ws or wss before ://", server)
	}
	path := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(u.Path, "/"), "/ws"), "/console")
	return &url.URL{Scheme: u.Scheme, Host: u.Host, Path: path + "/api/v1/"}, nil
}

// tailSource is a server's log. It belongs to one goroutine.
type tailSource struct {
	base    *url.URL
	token   string
	printer *tailPrinter
	last    int64 // id of the newest event seen
}

// cutError is what went wrong between the server and us.
type cutError struct{ error }

func (e *cutError) Unwrap() error { return e.error }

// refusal is the server's own no.
type refusal struct {
	status  int
	message string
}

func (r *refusal) Error() string { return r.message }

// final tells that asking again will not help.
func (r *refusal) final() bool { return r.status >= 400 && r.status < 500 }

// ask sends one question and gives the answer's body.
func (s *tailSource) ask(ctx context.Context, path string) (io.ReadCloser, error) {
	where, err := s.base.Parse(path)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, where.String(), nil)
	if err != nil {
		return nil, err
	}
	if s.token != "" {
		r.Header.Set("Authorization", "Bearer "+s.token)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return nil, &cutError{err}
	}
	if answer.StatusCode == http.StatusOK {
		return answer.Body, nil
	}
	defer answer.Body.Close()
	var said struct{ Error struct{ Message string } }
	if json.NewDecoder(io.LimitReader(answer.Body, maxTailLine)).Decode(&said) != nil || said.Error.Message == "" {
		said.Error.Message = "this is no Aila server"
	}
	return nil, &refusal{answer.StatusCode, fmt.Sprintf("%s: %s: %s", s.base.Host, answer.Status, plainText(said.Error.Message))}
}

// past prints the last events that happened before.
func (s *tailSource) past(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, tailPatience)
	defer cancel()
	body, err := s.ask(ctx, "supervision?limit=1000")
	if err != nil {
		return err
	}
	defer body.Close()
	var page struct{ Events []json.RawMessage }
	if err := json.NewDecoder(body).Decode(&page); err != nil {
		return fmt.Errorf("read the past events: %w", err)
	}
	type event struct {
		proto.Event
		raw []byte
	}
	var chosen []event // newest first
	for i, raw := range page.Events {
		e := event{raw: raw}
		if err := json.Unmarshal(raw, &e.Event); err != nil {
			return fmt.Errorf("read a past event: %w", err)
		}
		if i == 0 {
			s.last = e.ID
		}
		if len(chosen) < s.printer.o.past && s.printer.o.filter.selects(e.Event) {
			chosen = append(chosen, e)
		}
	}
	for _, e := range slices.Backward(chosen) {
		if err := s.printer.print(e.Event, e.raw); err != nil {
			return err
		}
	}
	return s.printer.out.Flush()
}

// stream prints events as they come; connected is called once they do.
func (s *tailSource) stream(ctx context.Context, connected func()) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// Cuts the stream when it is silent for too long.
	alarm := time.AfterFunc(tailSilence, cancel)
	defer alarm.Stop()
	body, err := s.ask(ctx, fmt.Sprintf("events?after=%d", s.last))
	if err != nil {
		return err
	}
	defer body.Close()
	connected()
	lines := bufio.NewScanner(body)
	lines.Buffer(nil, maxTailLine)
	name := ""
	for lines.Scan() {
		alarm.Reset(tailSilence)
		field, value, _ := strings.Cut(lines.Text(), ": ")
		switch field {
		case "":
			name = ""
		case "event":
			name = value
		case "data":
			if err := s.message(name, value); err != nil {
				return err
			}
		}
	}
	return &cutError{cmp.Or(lines.Err(), io.EOF)}
}

// message prints one message of the stream; those with a name are about the stream itself.
func (s *tailSource) message(name, data string) error {
	if name != "" {
		return nil
	}
	var e proto.Event
	if err := json.Unmarshal([]byte(data), &e); err != nil {
		return &cutError{err}
	}
	s.last = e.ID
	if err := s.printer.print(e, []byte(data)); err != nil {
		return err
	}
	return s.printer.out.Flush()
}
