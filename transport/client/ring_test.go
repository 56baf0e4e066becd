package client

import (
	"testing"

	"pgregory.net/rapid"

	"aila/proto"
)

// TestRing holds the ring to a slice.
func TestRing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := ring{first: 1}
		var model []int // the size of each message, in order
		first := int64(1)
		t.Repeat(map[string]func(*rapid.T){
			"push": func(t *rapid.T) {
				n := rapid.IntRange(0, 100).Draw(t, "bytes")
				model = append(model, n)
				if got, want := r.push(copied(make([]byte, n), int64(n))), first+int64(len(model))-1; got != want {
					t.Fatalf("number %d, want %d", got, want)
				}
			},
			"drop": func(t *rapid.T) {
				seq := first + int64(rapid.IntRange(-3, len(model)+3).Draw(t, "up to")) - 1
				n := int(min(max(0, seq-first+1), int64(len(model))))
				if got := r.drop(seq); got != n {
					t.Fatalf("dropped %d, want %d", got, n)
				}
				first, model = first+int64(n), model[n:]
			},
			"replace": func(t *rapid.T) {
				if len(model) == 0 {
					t.Skip("empty")
				}
				i := rapid.IntRange(0, len(model)-1).Draw(t, "which")
				r.replace(first+int64(i), entry{msg: &proto.GapIn{Samples: 1}})
				model[i] = 0
			},
			"": func(t *rapid.T) {
				sum := 0
				for i, n := range model {
					if e := r.at(first + int64(i)); e == nil || e.bytes != n {
						t.Fatalf("message %d is %+v, want %d bytes", i, e, n)
					}
					sum += n
				}
				if r.n != len(model) || r.bytes != sum || r.samples != int64(sum) || r.first != first {
					t.Fatalf("holds %d messages of %d bytes from %d, want %d of %d from %d", r.n, r.bytes, r.first, len(model), sum, first)
				}
				if r.at(first-1) != nil || r.at(first+int64(len(model))) != nil {
					t.Fatal("has what it has not")
				}
			},
		})
	})
}

func TestRingGivesBackTheMemoryOfALongOutage(t *testing.T) {
	r := ring{first: 1}
	for range 1000 {
		r.push(copied(make([]byte, 960), 480))
	}
	if got := r.between(10, 20); got != 9600 {
		t.Errorf("%d bytes between 10 and 20, want 9600", got)
	}
	r.drop(1000)
	if len(r.slots) != 0 || r.pushed != 960_000 {
		t.Errorf("%d slots left, want none", len(r.slots))
	}
	if got := r.push(entry{}); got != 1001 {
		t.Errorf("next number %d, want 1001", got)
	}
}
