package main

import (
	"fmt"
	"strings"
	"testing"

	"aila/proto"
)

// The 50 good frames that were in flight behind a refused one are dropped in silence; when the
// one comes mended, and they again, all are heard once and in order.
func TestFramesBehindARefusedOneAreHeardOnceItIsMended(t *testing.T) {
	s := startServer(t, nil)
	other := s.look(t)
	const first, last = 2, 51
	mended := audioFrame(first)
	asGap := encoded(&proto.GapIn{Head: proto.Head{Seq: first}, Samples: 480, Reason: "overflow"})
	for _, row := range []struct {
		name string
		bad  []byte
		code proto.Code
		mend []byte
		seq  int64 // that the error names
	}{
		{"bad base64", frame(textFrame, []byte(chunk(first, `"A*AA"`))), proto.BadAudio, mended, first},
		{"half a sample", frame(textFrame, []byte(audioChunk(first, "", make([]byte, 961)))), proto.BadAudio, mended, first},
		{"data missing", frame(textFrame, []byte(`{"type":"audio_chunk","seq":2}`)), proto.BadField, mended, first},
		{"binary with flags", frame(binaryFrame, append([]byte{1, 1, 0, 0, 0, 0, 0, first, 0, 0, 0, 0, 0, 0, 0, 0}, tone(2)...)), proto.BadAudio, mended, first},
		{"bad gap", frame(textFrame, []byte(`{"type":"gap","seq":2,"samples":0,"reason":"muted"}`)), proto.BadField, mended, first},
		{"too long a gap", frame(textFrame, []byte(`{"type":"gap","seq":2,"samples":2880001,"reason":"muted"}`)), proto.BadField, mended, first},
		{"lost on the way", nil, proto.BadSeq, mended, first + 1},
		{"mended by a gap", frame(textFrame, []byte(chunk(first, `""`))), proto.BadAudio, asGap, first},
	} {
		t.Run(row.name, func(t *testing.T) {
			p := s.joined(t)
			burst := row.bad
			for seq := int64(first + 1); seq <= last; seq++ {
				burst = append(burst, audioFrame(seq)...)
			}
			p.raw(burst)
			if f := p.wantError(row.code); f.ClientSeq != row.seq {
				t.Errorf("error %+v, want client_seq %d", f, row.seq)
			}
			p.text(`{"type":"ping","id":"now"}`)
			if pong := want[*proto.Pong](p); pong.ID != "now" {
				t.Errorf("pong %+v", pong)
			}
			burst, heard := append([]byte{}, row.mend...), int64(first)
			for seq := int64(first + 1); seq <= last; seq++ {
				burst = append(burst, audioFrame(seq)...)
			}
			p.raw(burst)
			if row.mend[1] == asGap[1] {
				heard++ // an echo answers a gap with nothing
			}
			for ; heard <= last; heard++ {
				p.wantEcho(heard)
			}
			p.text(fmt.Sprintf(`{"type":"session_control","action":"end","seq":%d}`, last+1))
			e := seek[*proto.SessionEnded](p)
			if e.SamplesIn != 480*last || e.SamplesLost != 0 {
				t.Errorf("session_ended %+v, want %d samples in and none lost", e, 480*last)
			}
			other.wantUndisturbed(t)
		})
	}
}

// script says frames and orders in one burst and gives what the server said to them, in words.
func (s *server) script(t *testing.T, say ...string) string {
	t.Helper()
	p := connect(t, s.addr)
	p.text(`{"type":"session_control","action":"start"}`)
	want[*proto.SessionStarted](p)
	var burst []byte
	for i, word := range append(say, "end") {
		seq := int64(i + 1)
		switch action, rest, _ := strings.Cut(word, " "); action {
		case "frame":
			burst = append(burst, audioFrame(seq)...)
		case "text":
			burst = append(burst, encoded(&proto.TextIn{Head: proto.Head{Seq: seq}, Text: rest})...)
		default:
			burst = append(burst, frame(textFrame, fmt.Appendf(nil, `{"type":"session_control","action":%q,"seq":%d}`, action, seq))...)
		}
	}
	p.raw(burst)
	var said []string
	for {
		m, err := p.hear()
		if err != nil {
			t.Fatalf("after %q: %v", said, err)
		}
		switch m := m.(type) {
		case *proto.AckOut:
		case *proto.AudioOut:
			said = append(said, fmt.Sprintf("echo %d of %s", m.Re, m.ItemID))
		case *proto.AudioEnd:
			said = append(said, fmt.Sprintf("end of %s after %d", m.ItemID, m.Samples))
		case *proto.SessionState:
			said = append(said, strings.TrimSpace(string(m.State)+" "+m.ItemID))
		case *proto.Interrupted:
			said = append(said, "interrupted "+m.ItemID)
		case *proto.Transcript:
			said = append(said, "says "+m.Text)
		case *proto.GapOut:
			said = append(said, fmt.Sprintf("gap %d to %d %s", m.FromPos, m.ToPos, m.Reason))
		case *proto.SessionEnded:
			return strings.Join(append(said, fmt.Sprintf("ended %d in %d out %d lost", m.SamplesIn, m.SamplesOut, m.SamplesLost)), "\n")
		default:
			t.Fatalf("got %T %+v", m, m)
		}
	}
}

func TestOrdersActBetweenTheFramesAroundThem(t *testing.T) {
	s := startServer(t, nil)
	for _, row := range []struct {
		name string
		say  []string
		want string
	}{
		{"commit", []string{"frame", "frame", "commit", "frame"}, `
speaking item_1
echo 1 of item_1
echo 2 of item_1
end of item_1 after 960
listening
speaking item_2
echo 4 of item_2
end of item_2 after 480
listening
ended 1440 in 1440 out 0 lost`},
		{"interrupt", []string{"frame", "interrupt", "frame", "interrupt", "interrupt"}, `
speaking item_1
echo 1 of item_1
interrupted item_1
end of item_1 after 480
listening
speaking item_2
echo 3 of item_2
interrupted item_2
end of item_2 after 480
listening
ended 960 in 960 out 0 lost`},
		{"pause", []string{"frame", "pause", "frame", "frame", "continue", "frame"}, `
speaking item_1
echo 1 of item_1
end of item_1 after 480
listening
paused
gap 480 to 1440 paused
listening
speaking item_2
echo 6 of item_2
end of item_2 after 480
listening
ended 1920 in 960 out 0 lost`},
		{"text", []string{"frame", "text hello", "frame"}, `
speaking item_1
echo 1 of item_1
says hello
echo 3 of item_1
end of item_1 after 960
listening
ended 960 in 960 out 0 lost`},
		{"end while paused", []string{"frame", "pause", "frame"}, `
speaking item_1
echo 1 of item_1
end of item_1 after 480
listening
paused
gap 480 to 960 paused
listening
ended 960 in 480 out 0 lost`},
	} {
		t.Run(row.name, func(t *testing.T) {
			if got := s.script(t, row.say...); got != strings.TrimSpace(row.want) {
				t.Errorf("said\n%s\nwant%s", got, row.want)
			}
		})
	}
}
