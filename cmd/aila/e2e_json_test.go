package main

import (
	"fmt"
	"strings"
	"testing"

	"aila/proto"
)

// onlooker is a session beside a bad one, which must not notice.
type onlooker struct {
	p   *peer
	seq int64
}

func (s *server) look(t *testing.T) *onlooker {
	t.Helper()
	p := connect(t, s.addr)
	p.text(`{"type":"session_control","action":"start"}`)
	want[*proto.SessionStarted](p)
	return &onlooker{p: p}
}

// wantUndisturbed says a frame and hears it.
func (o *onlooker) wantUndisturbed(t *testing.T) {
	t.Helper()
	o.seq++
	o.p.t = t
	o.p.wantServed(o.seq)
}

// joined is a session on a socket of its own that has heard one frame, numbered 1.
func (s *server) joined(t *testing.T) *peer {
	t.Helper()
	p := connect(t, s.addr)
	p.text(`{"type":"session_control","action":"start"}`)
	want[*proto.SessionStarted](p)
	p.wantServed(1)
	return p
}

// chunk is an audio_chunk with this text in its data.
func chunk(seq int64, data string) string {
	return fmt.Sprintf(`{"type":"audio_chunk","seq":%d,"data":%s}`, seq, data)
}

func TestBadJSONIsAnsweredAndTheNextFrameServed(t *testing.T) {
	deep := strings.Repeat(`{"a":`, 17) + "1" + strings.Repeat("}", 17)
	good := audioChunk(2, "", tone(2))
	wantAnswers(t, []answerRow{
		{"empty text", ``, proto.BadJSON, ""},
		{"array", `[1]`, proto.BadJSON, ""},
		{"number", `7`, proto.BadJSON, ""},
		{"string", `"ping"`, proto.BadJSON, ""},
		{"null", `null`, proto.BadJSON, ""},
		{"truncated", good[:len(good)-2], proto.BadJSON, ""},
		{"two values", `{"type":"ping"}{"type":"ping"}`, proto.BadJSON, ""},
		{"NaN", `{"type":"ping","t_ms":NaN}`, proto.BadJSON, ""},
		{"comment", `{"type":"ping"/*hello*/}`, proto.BadJSON, ""},
		{"byte order mark", "\xef\xbb\xbf" + `{"type":"ping"}`, proto.BadJSON, ""},
		{"duplicate key", `{"type":"ping","type":"ping"}`, proto.BadJSON, ""},
		{"duplicate key of audio", strings.Replace(good, `"seq":2`, `"seq":2,"seq":2`, 1), proto.BadJSON, ""},
		{"lone surrogate", `{"type":"ping","id":"\ud800"}`, proto.BadJSON, ""},
		{"nesting", `{"type":"ping","a":` + deep + `}`, proto.BadJSON, ""},
		{"no type", `{"seq":2}`, proto.BadJSON, ""},
		{"TYPE", `{"TYPE":"ping"}`, proto.BadJSON, ""},
		{"type a number", `{"type":1}`, proto.BadJSON, ""},
		{"unknown type", `{"type":"shout","seq":2}`, proto.UnknownType, ""},
		{"unknown action", `{"type":"session_control","action":"dance","seq":2}`, proto.UnknownAction, ""},
	})
}

func TestBadFieldsAreNamedInTheProtocolsWords(t *testing.T) {
	long := strings.Repeat("x", 65)
	wantAnswers(t, []answerRow{
		{"data missing", `{"type":"audio_chunk","seq":2}`, proto.BadField, "data"},
		{"action missing", `{"type":"session_control","seq":2}`, proto.BadField, "action"},
		{"text missing", `{"type":"text","seq":2}`, proto.BadField, "text"},
		{"samples missing", `{"type":"gap","seq":2,"reason":"muted"}`, proto.BadField, "samples"},
		{"reason missing", `{"type":"gap","seq":2,"samples":480}`, proto.BadField, "reason"},
		{"ack without seq", `{"type":"ack"}`, proto.BadField, "seq"},
		{"playback without item", `{"type":"playback","played_ms":1,"state":"done"}`, proto.BadField, "item_id"},
		{"data a number", `{"type":"audio_chunk","seq":2,"data":7}`, proto.BadField, "data"},
		{"text an object", `{"type":"text","seq":2,"text":{}}`, proto.BadField, "text"},
		{"NUL in text", `{"type":"text","seq":2,"text":"a\u0000b"}`, proto.BadField, "text"},
		{"NUL in id", `{"type":"text","seq":2,"text":"a","id":"\u0000"}`, proto.BadField, "id"},
		{"long id", `{"type":"text","seq":2,"text":"a","id":"` + long + `"}`, proto.BadField, "id"},
		{"long text", `{"type":"text","seq":2,"text":"` + strings.Repeat("x", 8<<10+1) + `"}`, proto.BadField, "text"},
		{"played_ms a string", `{"type":"session_control","action":"interrupt","seq":2,"played_ms":"1"}`, proto.BadField, "played_ms"},
		{"gap of 0", `{"type":"gap","seq":2,"samples":0,"reason":"muted"}`, proto.BadField, "samples"},
		{"gap below 0", `{"type":"gap","seq":2,"samples":-1,"reason":"muted"}`, proto.BadField, "samples"},
		{"gap over 120 s", `{"type":"gap","seq":2,"samples":2880001,"reason":"muted"}`, proto.BadField, "samples"},
		{"gap for no reason", `{"type":"gap","seq":2,"samples":480,"reason":"lazy"}`, proto.BadField, "reason"},
		{"ack beyond what was sent", `{"type":"ack","seq":1000}`, proto.BadField, "seq"},
	})
}

func TestBadAudioIsNotAcknowledged(t *testing.T) {
	quoted := func(s string) string { return `"` + s + `"` }
	zeros := func(bytes int) string { return audioChunk(2, "", make([]byte, bytes)) }
	plain := strings.Repeat("AAAA", 320)
	wantAnswers(t, []answerRow{
		{"bad character", chunk(2, quoted("A*AA"+plain)), proto.BadAudio, "data"},
		{"padding missing", chunk(2, quoted(plain+"AAA")), proto.BadAudio, "data"},
		{"URL alphabet", chunk(2, quoted("A-_A"+plain)), proto.BadAudio, "data"},
		{"newline inside", chunk(2, quoted(plain+`\nAAAA`)), proto.BadAudio, "data"},
		{"trailing bits", chunk(2, quoted(plain+"AB==")), proto.BadAudio, "data"},
		{"half a sample", zeros(961), proto.BadAudio, "data"},
		{"empty", zeros(0), proto.BadAudio, "data"},
		{"under 10 ms", zeros(478), proto.BadAudio, "data"},
		{"over 1000 ms", zeros(48002), proto.BadAudio, "data"},
	})
}

func TestBadSeqIsAnswered(t *testing.T) {
	seq := func(s string) string { return `{"type":"text","text":"a","seq":` + s + `}` }
	wantAnswers(t, []answerRow{
		{"0", seq("0"), proto.BadSeq, ""},
		{"negative", seq("-1"), proto.BadSeq, ""},
		{"1.5", seq("1.5"), proto.BadSeq, ""},
		{"1e3", seq("1e3"), proto.BadSeq, ""},
		{"a string", seq(`"2"`), proto.BadSeq, ""},
		{"over 2^53-1", seq("9007199254740992"), proto.BadSeq, ""},
		{"5000 digits", seq(strings.Repeat("9", 5000)), proto.BadSeq, ""},
		{"beyond the next", seq("7"), proto.BadSeq, "expected seq 2"},
		{"missing", `{"type":"text","text":"a"}`, proto.BadSeq, "expected seq 2"},
	})
}

// answerRow is one bad message and the one answer to it.
type answerRow struct {
	name, say string
	code      proto.Code
	names     string // what the error's message must name
}

// wantAnswers sends each on a session of its own that has heard frame 1, and then frame 2.
func wantAnswers(t *testing.T, rows []answerRow) {
	t.Helper()
	s := startServer(t, nil)
	other := s.look(t)
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			p := s.joined(t)
			p.text(row.say)
			f := p.wantError(row.code)
			if !strings.HasPrefix(f.Message, row.names) || strings.Contains(f.Message, "proto.") || strings.Contains(f.Message, "int64") {
				t.Errorf("message %q, want it to name %q and no Go type", f.Message, row.names)
			}
			p.wantServed(2)
			p.text(`{"type":"session_control","action":"end","seq":3}`)
			if e := seek[*proto.SessionEnded](p); e.SamplesIn != 960 || e.SamplesLost != 0 {
				t.Errorf("session_ended %+v, want 960 samples in: the bad one must not count", e)
			}
			p.wantClose(proto.CloseEnded)
			other.wantUndisturbed(t)
		})
	}
}

func TestHarmlessJSONIsServed(t *testing.T) {
	s := startServer(t, nil)
	other := s.look(t)
	pcm := tone(2)
	for _, row := range []struct{ name, say string }{
		{"unknown field", audioChunk(2, `,"mood":"good"`, pcm)},
		{"__proto__", audioChunk(2, `,"__proto__":{"seq":9}`, pcm)},
		{"white space", strings.ReplaceAll(audioChunk(2, "", pcm), ",", " ,\r\n\t")},
		{"other order", `{"data":` + strings.TrimPrefix(strings.SplitAfterN(audioChunk(0, "", pcm), `"data":`, 2)[1], "")[:1282] + `,"seq":2,"type":"audio_chunk"}`},
		{"escapes", strings.Replace(audioChunk(2, "", pcm), `"type"`, `"\u0074ype"`, 1)},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := s.joined(t)
			p.text(row.say)
			p.wantEcho(2)
			p.wantServed(3)
			other.wantUndisturbed(t)
		})
	}
}

func TestAckGoingBackIsIgnored(t *testing.T) {
	s := startServer(t, nil)
	p := s.joined(t)
	p.text(`{"type":"ack","seq":3}`)
	p.text(`{"type":"ack","seq":1}`)
	p.wantServed(2)
}

func TestSeqAlreadyHadIsAcknowledgedAgainAndNotHeardTwice(t *testing.T) {
	s := startServer(t, nil)
	p := s.joined(t)
	if a := want[*proto.AckOut](p); a.Seq != 1 {
		t.Errorf("ack of %d, want 1", a.Seq)
	}
	p.audio(1)
	if a := want[*proto.AckOut](p); a.Seq != 1 || a.Pos != 480 {
		t.Errorf("ack %+v, want seq 1 at 480 again", a)
	}
	p.wantServed(2)
}

func TestSeqInAnUnnumberedSessionIsRefused(t *testing.T) {
	s := startServer(t, nil)
	p := connect(t, s.addr)
	bare := frame(textFrame, []byte(audioChunk(0, "", tone(1))))
	p.raw(bare) // audio before start begins a session with the defaults
	if started := want[*proto.SessionStarted](p); started.Audio != proto.DefaultFormat || started.Voice != "echo" {
		t.Errorf("session_started %+v, want the defaults", started)
	}
	p.wantEcho(1)
	p.audio(2)
	p.wantError(proto.BadSeq)
	p.raw(frame(textFrame, []byte(audioChunk(0, "", tone(2)))))
	p.wantEcho(2)
}

func TestTooManyErrorsClose(t *testing.T) {
	s := startServer(t, nil)
	other := s.look(t)
	p := s.joined(t)
	for range 20 {
		p.text(`{}`)
		p.wantError(proto.BadJSON)
	}
	p.text(`{}`)
	p.wantClose(proto.CloseTooManyErrors)
	other.wantUndisturbed(t)
}

func TestMetadataOver4KiBStartsNothing(t *testing.T) {
	s := startServer(t, nil)
	p := connect(t, s.addr)
	p.text(`{"type":"session_control","action":"start","id":"s","metadata":{"a":"` + strings.Repeat("x", 4<<10) + `"}}`)
	if f := p.wantError(proto.BadField); f.Ref != "s" || !strings.HasPrefix(f.Message, "metadata") {
		t.Errorf("error %+v, want it to name metadata and answer s", f)
	}
	p.text(`{"type":"session_control","action":"start","metadata":{"a":1}}`)
	p.wantError(proto.BadField)
	p.text(`{"type":"session_control","action":"start"}`)
	want[*proto.SessionStarted](p)
	p.wantServed(1)
}
