package voice

import (
	"context"
	"strconv"
	"time"
)

// Echo is the voice that says back what it hears, one chunk for one chunk, and answers text
// with the same text. It is the default, the one to test with, and the one to copy.
type Echo struct{}

// NewEcho makes the echo.
func NewEcho() Echo { return Echo{} }

// Open implements Voice; it never fails.
func (Echo) Open(_ context.Context, _ Setup, answer Answer) (Stream, error) {
	return &echo{answer: answer}, nil
}

// echo is one conversation with the echo. Its session calls it from one goroutine at a time.
type echo struct {
	answer Answer
	items  int    // how many items were begun, texts included
	item   string // the open item; empty: none
}

func (e *echo) Write(c Chunk, now Reply) error {
	if e.item == "" {
		e.item = e.next()
	}
	now.Audio(Audio{Item: e.item, Data: c.Data, Samples: c.Samples, Re: c.Seq})
	return nil
}

// Silence is answered by nothing: there is nothing to say back.
func (e *echo) Silence(int64) error { return nil }

func (e *echo) Text(text string) error {
	e.answer.Say(Transcript{Item: e.next(), Voice: true, Text: text, Final: true})
	return nil
}

func (e *echo) Commit() error { return e.finish() }
func (e *echo) Pause() error  { return e.finish() }

func (e *echo) Interrupt(item string, _ time.Duration) error {
	if e.item == "" || item != "" && item != e.item {
		return nil
	}
	e.answer.Say(Interrupted{Item: e.item})
	return e.finish()
}

func (e *echo) End() error {
	err := e.finish()
	e.answer.Say(Finished{})
	return err
}

func (e *echo) Played(string, time.Duration, string) {}
func (e *echo) Close()                               {}

// next names a new item.
func (e *echo) next() string {
	e.items++
	return strconv.Itoa(e.items)
}

// finish ends the open item, if there is one.
func (e *echo) finish() error {
	if e.item != "" {
		e.answer.Say(ItemEnd{Item: e.item})
		e.item = ""
	}
	return nil
}
