package transport

import "testing"

func TestSessionEchoes(t *testing.T) {
	p := newRig(t, Options{}).started()
	p.audio("a")
	if m := p.want("audio_chunk"); m.ItemID != "a" {
		t.Errorf("answer to %q, want a", m.ItemID)
	}
}
