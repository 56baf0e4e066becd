package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestLogLinesHaveTheAgreedNames(t *testing.T) {
	var out bytes.Buffer
	c := defaults()
	log, err := openLog(c, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Debug().Msg("not shown at info")
	log.Warn().Err(errors.New("lost")).Msg("voice stream lost")
	log.Close()
	var line map[string]string
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v in %q", err, out.String())
	}
	at, err := time.Parse("2006-01-02T15:04:05.000Z", line["time"])
	if err != nil || time.Since(at) > time.Minute {
		t.Errorf("time %q, want now in UTC with milliseconds", line["time"])
	}
	if line["level"] != "warn" || line["message"] != "voice stream lost" || line["err"] != "lost" || len(line) != 4 {
		t.Errorf("got %v, want level, message, err and time", line)
	}
}

func TestPrettyLogIsForPeople(t *testing.T) {
	var out bytes.Buffer
	c := defaults()
	c.LogFormat = formatPretty
	log, err := openLog(c, &out)
	if err != nil {
		t.Fatal(err)
	}
	log.Info().Msg("listening")
	log.Close()
	if got := out.String(); !strings.Contains(got, "INF listening") || strings.ContainsAny(got, "{\x1b") {
		t.Errorf("got %q, want no JSON, and no colours where there is no terminal", got)
	}
}

// stuck is a reader of the log who takes one line only when told.
type stuck struct {
	take chan struct{}
	got  bytes.Buffer
}

func (s *stuck) Write(p []byte) (int, error) {
	<-s.take
	return s.got.Write(p)
}

func TestLogNeverWaitsAndCountsWhatItDrops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &stuck{take: make(chan struct{})}
		log, err := openLog(defaults(), out)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 * logLines {
			log.Info().Msg("line") // the test would end here for ever
		}
		began := time.Now()
		log.Close()
		if took := time.Since(began); took != logFlush {
			t.Errorf("Close took %v with a reader who is stuck, want %v", took, logFlush)
		}
		close(out.take)
		synctest.Wait()
		if !strings.Contains(out.got.String(), `"message":"log lines dropped"`) {
			t.Error("no line says that lines were dropped")
		}
	})
}

func TestLogIsWholeWhenClosed(t *testing.T) {
	read, write := io.Pipe()
	lines := make(chan int)
	go func() { // ends when the test closes the pipe
		all, _ := io.ReadAll(read)
		lines <- bytes.Count(all, []byte("\n"))
	}()
	log, err := openLog(defaults(), write)
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		log.Info().Msg("line")
	}
	log.Close()
	if _, err := write.Write(nil); err != nil {
		t.Errorf("write after Close: %v, want nil: whoever opened the log's file closes it", err)
	}
	write.Close()
	if n := <-lines; n != 1000 {
		t.Errorf("%d lines were written, want 1000", n)
	}
}
