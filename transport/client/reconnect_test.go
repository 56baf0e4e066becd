package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"aila/proto"
)

func TestWhichClosesResume(t *testing.T) {
	resume := []int{1001, 1012, 1013, 4000, 4001, 4002, 4003, 4499}
	stop := []int{1000, 1002, 1003, 1007, 1008, 1009, 1011, 3000, 4500, 4502, 4504, 4505, 4507, 4999}
	for _, code := range append(resume, stop...) {
		t.Run(fmt.Sprint(code), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				s, p := r.begin(r.options())
				defer over(s)
				p.say(proto.Close{Code: code, Reason: "because"})
				if slices.Contains(resume, code) {
					p = <-r.peers
					p.resume(1, 0, "token-2")
					return
				}
				var closed *CloseError
				if err := s.Wait(); !errors.As(err, &closed) || closed.Close != (proto.Close{Code: code, Reason: "because"}) {
					t.Errorf("wait: %v, want a CloseError of %d", err, code)
				}
			})
		})
	}
}

func TestRefusedResumes(t *testing.T) {
	for code, want := range map[proto.Code]error{proto.ResumeRefused: ErrResumeRefused, proto.ReplayGone: ErrReplayGone} {
		t.Run(string(code), func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				s, p := r.begin(r.options())
				p.drop()
				p = <-r.peers
				p.take()
				p.say(&proto.Fault{Code: code, Fatal: true}, proto.CloseResumeRefused)
				var fault *proto.Fault
				if err := s.Wait(); !errors.Is(err, want) || !errors.As(err, &fault) || fault.Code != code {
					t.Errorf("wait: %v, want %v with its fault", err, want)
				}
			})
		})
	}
}

func TestFullJitterDoublesUpToItsCap(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.Reconnect.Cap = 3 * time.Second
		s, p := r.begin(o)
		defer over(s)
		for range 2 {
			r.down.Store(true)
			r.mu.Lock()
			r.limits, r.dialed = nil, nil
			r.mu.Unlock()
			p.drop()
			time.Sleep(10 * time.Second)
			r.down.Store(false)
			p = <-r.peers
			p.resume(1, 0, "token")
			p.quiet()
			r.mu.Lock()
			got := fmt.Sprint(r.limits)
			r.mu.Unlock()
			if want := "[250ms 500ms 1s 2s 3s 3s 3s]"; got != want {
				t.Errorf("limits %s, want %s", got, want)
			}
		}
	})
}

func TestFullJitterIsDrawnBelowTheLimit(t *testing.T) {
	r := Options{}.withDefaults().Reconnect
	for attempt := 1; attempt < 100; attempt++ {
		limit := min(r.Cap, r.Base<<min(attempt-1, 20))
		if d := r.wait(attempt); d < 0 || d >= limit {
			t.Errorf("attempt %d waits %v, want less than %v", attempt, d, limit)
		}
	}
	if d := fullJitter(0); d != 0 {
		t.Errorf("jitter below nothing is %v", d)
	}
}

func TestOverloadedServerIsGivenItsTime(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.Reconnect.Jitter = func(time.Duration) time.Duration { return 0 }
		s, p := r.begin(o)
		defer over(s)
		began := time.Now()
		r.mu.Lock()
		r.status, r.retryAfter = 503, "2"
		r.mu.Unlock()
		p.say(&proto.Fault{Code: proto.Overloaded, Fatal: true, RetryAfterMS: 1500}, proto.CloseOverloaded)
		p = <-r.peers
		if took := time.Since(began); took != 3500*time.Millisecond {
			t.Errorf("came back after %v, want 1.5 s and then 2 s", took)
		}
		p.resume(1, 0, "token-2")
	})
}

func TestDialSaysWhatTheServerSaid(t *testing.T) {
	dial := func(r *rig, play func()) error {
		go play()
		_, err := Dial(context.Background(), "ws://aila.test/ws", r.options())
		return err
	}
	t.Run("status", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			r.status, r.retryAfter = 503, "7"
			err := dial(r, func() {})
			var h *HandshakeError
			if !errors.As(err, &h) || h.Status != 503 || h.RetryAfter != 7*time.Second {
				t.Errorf("dial: %v, want HandshakeError 503 with 7 s", err)
			}
		})
	})
	t.Run("fault", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			err := dial(r, func() {
				p := <-r.peers
				p.take()
				p.say(&proto.Fault{Code: proto.UnknownVoice, Message: "there is echo", Fatal: true}, proto.CloseUnsupported)
			})
			var closed *CloseError
			var fault *proto.Fault
			if !errors.As(err, &closed) || closed.Close.Code != 1008 || !errors.As(err, &fault) || fault.Code != proto.UnknownVoice {
				t.Errorf("dial: %v, want 1008 and unknown_voice", err)
			}
		})
	})
	t.Run("nothing", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			began := time.Now()
			err := dial(r, func() { (<-r.peers).take() })
			if err == nil || time.Since(began) != 10*time.Second {
				t.Errorf("dial: %v after %v, want an error after 10 s", err, time.Since(began))
			}
		})
	})
	t.Run("no network", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			r.down.Store(true)
			if err := dial(r, func() {}); err == nil {
				t.Error("dial without a network: no error")
			}
		})
	})
}

func TestDialEndsWithItsContext(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if _, err := Dial(ctx, "ws://aila.test/ws", r.options()); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("dial: %v, want the context's error", err)
		}
		<-(<-r.peers).dead
	})
}

func TestDialCanTryAgain(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.Reconnect.First = true
		r.down.Store(true)
		go func() {
			time.Sleep(time.Minute)
			r.down.Store(false)
			p := <-r.peers
			p.start()
		}()
		s, err := Dial(context.Background(), "ws://aila.test/ws", o)
		if err != nil {
			t.Fatalf("dial: %v", err)
		}
		over(s)
	})
}

func TestReconnectGivesUp(t *testing.T) {
	t.Run("after the resume window", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			s, p := r.begin(r.options())
			r.down.Store(true)
			began := time.Now()
			p.drop()
			err := s.Wait()
			if took := time.Since(began); !errors.Is(err, ErrGaveUp) || took < 120*time.Second || took > 135*time.Second {
				t.Errorf("wait: %v after %v, want ErrGaveUp when 120 s have passed", err, took)
			}
		})
	})
	t.Run("after its attempts", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			o := r.options()
			o.Reconnect.Attempts = 3
			s, p := r.begin(o)
			r.down.Store(true)
			p.drop()
			if err := s.Wait(); !errors.Is(err, ErrGaveUp) || len(r.dialed) != 4 {
				t.Errorf("wait: %v after %d connects, want ErrGaveUp after 1 and 3 more", err, len(r.dialed))
			}
		})
	})
	t.Run("off", func(t *testing.T) {
		bubble(t, func(t *testing.T, r *rig) {
			o := r.options()
			o.Reconnect.Off = true
			s, p := r.begin(o)
			p.drop()
			var closed *CloseError
			if err := s.Wait(); !errors.As(err, &closed) || closed.Close.Code != 0 || len(r.dialed) != 1 {
				t.Errorf("wait: %v after %d connects, want CloseError after 1", err, len(r.dialed))
			}
		})
	})
}

func TestTokenTravelsInTheHeaderAndRefreshReplacesIt(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		o := r.options()
		o.Token = "first"
		s, p := r.begin(o)
		defer over(s)
		s.Refresh("second")
		if m := p.take().(*proto.Refresh); m.Token != "second" {
			t.Errorf("refresh with %q, want second", m.Token)
		}
		s.Cut()
		p = <-r.peers
		p.resume(1, 0, "token-2")
		if got := fmt.Sprint(r.auth); got != "[Bearer first Bearer second]" {
			t.Errorf("authorization %s", got)
		}
	})
}

func TestTraceSeesTheProtocolUnderneath(t *testing.T) {
	bubble(t, func(t *testing.T, r *rig) {
		var lines []string
		tell := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
		o := r.options()
		o.Trace = &Trace{
			Connected: func(took time.Duration) { tell("connected %v", took) },
			Lost:      func(c proto.Close, err error) { tell("lost %d %v", c.Code, err != nil) },
			Resumed:   func(took time.Duration, again int) { tell("resumed %v %d", took, again) },
			Acked:     func(seq, pos int64, _ time.Time) { tell("acked %d %d", seq, pos) },
			Retry:     func(attempt int, wait time.Duration) { tell("retry %d %v", attempt, wait) },
		}
		s, p := r.begin(o)
		defer over(s)
		send(t, s, 1, 2)
		p.frames(1, 2)
		p.say(&proto.AckOut{Seq: 1, Pos: 480}, proto.CloseHeartbeat)
		p = <-r.peers
		p.resume(1, 1, "token-2")
		p.frames(2, 1)
		synctest.Wait()
		want := []string{"connected 0s", "acked 1 480", "lost 4001 false", "retry 1 250ms", "connected 0s", "resumed 250ms 1"}
		if !slices.Equal(lines, want) {
			t.Errorf("traced %q, want %q", lines, want)
		}
	})
}

func TestCloseIsQuickInEveryState(t *testing.T) {
	for name, play := range map[string]func(r *rig, p *peer){
		"talking":       func(*rig, *peer) {},
		"without any":   func(r *rig, p *peer) { r.down.Store(true); p.drop() },
		"resuming":      func(r *rig, p *peer) { p.drop(); (<-r.peers).take() },
		"goaway awaits": func(r *rig, p *peer) { p.say(&proto.GoAway{Action: "resume", TimeLeftMS: 60000}) },
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, r *rig) {
				s, p := r.begin(r.options())
				play(r, p)
				synctest.Wait()
				began := time.Now()
				s.Close()
				s.Close()
				if err := s.Wait(); !errors.Is(err, ErrClosed) || time.Since(began) != 0 {
					t.Errorf("wait: %v after %v, want ErrClosed at once", err, time.Since(began))
				}
				if _, err := s.Send(pcm(1)); !errors.Is(err, ErrClosed) {
					t.Errorf("send: %v, want ErrClosed", err)
				}
				if s.Cut() || s.Attached() {
					t.Error("there is a socket still")
				}
			})
		})
	}
}
