package main

import (
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/coreos/go-systemd/v22/daemon"
	"github.com/rs/zerolog"
)

// greet says where the server is: to a person in words, to a program as one line of the log.
func greet(c config, log *logbook, addr net.Addr, out io.Writer) {
	ws, page := urls(addr, c.TLSCert != "")
	log.Info().Str("path", ws).Str("voice", c.Voice).Msg("listening")
	if !log.pretty {
		return
	}
	talk := os.Args[0] + " talk" // as it was called, which is how it can be called again
	if c.Listen != defaults().Listen || c.TLSCert != "" {
		talk += " --url " + ws
	}
	fmt.Fprintf(out, `
  Aila is up. The voice that answers is %s.

    talk to it     %s
    or from here   %s
    watch it       %sconsole
    WebSocket      %s

  Ctrl-C stops it and lets calls finish; twice stops it at once.

`, c.Voice, page, talk, page, ws)
}

// urls are where a client on this machine reaches a listener.
func urls(addr net.Addr, secure bool) (ws, page string) {
	host := addr.String()
	if ap, err := netip.ParseAddrPort(host); err == nil && ap.Addr().IsUnspecified() {
		host = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), ap.Port()).String()
	}
	if secure {
		return "wss://" + host + "/ws", "https://" + host + "/"
	}
	return "ws://" + host + "/ws", "http://" + host + "/"
}

// gcPercent is how much garbage, in percent of what lives, Go's collector waits for unless
// GOGC says otherwise. A frame makes none, so collecting twice as often as Go's default costs
// nothing that can be measured, and an idle session takes 2 KiB less.
const gcPercent = 50

// limitMemory tells Go's collector of the container's memory limit, if there is one, so that
// it works harder before the kernel ends the process.
func limitMemory(log zerolog.Logger) {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	limit, err := memlimit.Set()
	if err != nil {
		log.Debug().Err(err).Msg("memory limit not known")
		return
	}
	if limit != math.MaxInt64 {
		log.Info().Int64("bytes", limit).Msg("memory limit")
	}
}

// system tells systemd how the server is, where systemd started it.
type system struct {
	log  zerolog.Logger
	done chan struct{}
	beat sync.WaitGroup
}

// notifySystem says that the server is ready, and goes on to say that it lives until stop.
func notifySystem(log zerolog.Logger) *system {
	s := &system{log: log, done: make(chan struct{})}
	s.tell(daemon.SdNotifyReady)
	every, err := daemon.SdWatchdogEnabled(false)
	if err != nil || every == 0 {
		return s
	}
	s.beat.Go(func() {
		tick := time.NewTicker(every / 2)
		defer tick.Stop()
		for {
			select {
			case <-s.done:
				return
			case <-tick.C:
				s.tell(daemon.SdNotifyWatchdog)
			}
		}
	})
	return s
}

// stopping says that the end has begun and how long it may take.
func (s *system) stopping(within time.Duration) {
	s.tell(fmt.Sprintf("%s\nEXTEND_TIMEOUT_USEC=%d", daemon.SdNotifyStopping, within.Microseconds()))
}

func (s *system) stop() {
	close(s.done)
	s.beat.Wait()
}

func (s *system) tell(state string) {
	if _, err := daemon.SdNotify(false, state); err != nil {
		s.log.Warn().Err(err).Msg("systemd not told")
	}
}
