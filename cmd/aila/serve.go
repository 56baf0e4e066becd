package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// newServeCommand runs the server until it is told to stop.
func newServeCommand() *cobra.Command {
	c := defaults()
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Run the server",
		Long: "Run the server until SIGTERM or SIGINT, then let the sessions finish (--drain-timeout). A second signal stops at once.\n\n" +
			"Every flag is also an environment variable (--max-queue is AILA_MAX_QUEUE) and a line in the file of --config\n" +
			"(max-queue: 256KiB). Flags beat the environment, the environment beats the file; `aila config` prints the result.",
		Args: cobra.NoArgs,
	}
	from := bind(cmd.Flags(), &c)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := from.read(); err != nil {
			return err
		}
		if err := c.check(); err != nil {
			return err
		}
		return serve(c, cmd.ErrOrStderr())
	}
	return cmd
}

// errCut is how a drain ends that a second signal cut short.
var errCut = errors.New("stopped at once by a second signal")

// closing is how long the server may take, after its sessions ended, to close its sockets.
const closing = 900 * time.Millisecond

// serve is the recipe: build, listen, run, drain.
func serve(c config, stderr io.Writer) error {
	// Before anything else, so that no signal is early enough to kill what has begun.
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(signals)
	// Who reads the log may leave; the calls go on.
	signal.Ignore(syscall.SIGPIPE)

	log, err := openLog(c, stderr)
	if err != nil {
		return fmt.Errorf("open log: %w", err)
	}
	defer log.Close()
	limitMemory(log.Logger)

	asked := make(chan struct{})
	h, err := build(c, log.Logger, func() { close(asked) }) // the API calls it once
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", c.Listen)
	if err != nil {
		return fmt.Errorf("--listen: %w", err)
	}
	greet(c, log, listener.Addr(), stderr)

	failed := make(chan error, 1)
	// It ends when drain shuts the server down, or by itself with an error.
	go func() { failed <- h.serve(listener) }()
	life, end := context.WithCancel(context.Background())
	defer end()
	go h.api.Run(life)               // ends with life
	go h.traces.run(life, h.gateway) // ends with life
	system := notifySystem(log.Logger)
	defer system.stop()

	select {
	case err := <-failed:
		return fmt.Errorf("serve: %w", err)
	case <-signals:
	case <-asked:
	}
	system.stopping(c.DrainTimeout + time.Second)
	return h.drain(c.DrainTimeout, signals)
}

// drain refuses what is new, lets the sessions finish for so long, and closes. It returns
// errCut when another signal comes first.
func (h *house) drain(timeout time.Duration, signals <-chan os.Signal) error {
	deadline := time.Now().Add(timeout)
	done := make(chan error, 1)
	// It ends by its two deadlines, or with the process that a second signal ends.
	go func() {
		h.server.Drain()
		ctx, cancel := context.WithDeadline(context.Background(), deadline)
		defer cancel()
		h.gateway.Drain(ctx, timeout)
		ctx, cancel = context.WithTimeout(context.Background(), closing)
		defer cancel()
		h.api.Close() // or Shutdown would wait for who reads the events
		err := h.server.Shutdown(ctx)
		h.gateway.Stop()
		h.traces.close(ctx)
		done <- err
	}()
	select {
	case err := <-done:
		// A client that does not let its socket go in time is no failure of ours.
		if err != nil && !errors.Is(err, context.DeadlineExceeded) {
			return fmt.Errorf("shut down: %w", err)
		}
		return nil
	case <-signals:
		return errCut
	}
}
