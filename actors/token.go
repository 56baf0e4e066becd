package actors

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
)

// tokens are a session's resume tokens: kept as hashes, changed at every attach. The one
// before the newest stays good until the client is heard after the newest was sent, so that an
// answer lost on the way costs nothing.
type tokens struct {
	Newest   [sha256.Size]byte
	Previous [sha256.Size]byte
	// PreviousGood says that Previous may still be used.
	PreviousGood bool
	// Retired are the ones before, newest last, to tell a stolen token from a guess.
	Retired [][sha256.Size]byte
}

const maxRetired = 8

// verdict is what a token turned out to be.
type verdict int

const (
	stranger verdict = iota // never ours
	used                    // ours, but used before
	good
)

// rotate makes a new token and keeps the newest as the one before.
func (t *tokens) rotate() string {
	var secret [32]byte
	rand.Read(secret[:]) // never fails: crypto/rand, Go 1.24
	token := base64.RawURLEncoding.EncodeToString(secret[:])
	if t.Previous != t.Newest && t.Previous != [sha256.Size]byte{} {
		t.Retired = append(t.Retired, t.Previous)
		t.Retired = t.Retired[max(0, len(t.Retired)-maxRetired):]
	}
	t.Previous, t.PreviousGood = t.Newest, t.Newest != [sha256.Size]byte{}
	t.Newest = sha256.Sum256([]byte(token))
	return token
}

// check compares in constant time.
func (t *tokens) check(token string) verdict {
	h := sha256.Sum256([]byte(token))
	newest := subtle.ConstantTimeCompare(h[:], t.Newest[:]) == 1
	previous := subtle.ConstantTimeCompare(h[:], t.Previous[:]) == 1
	switch {
	case newest, previous && t.PreviousGood:
		return good
	case previous:
		return used
	}
	for _, r := range t.Retired {
		if subtle.ConstantTimeCompare(h[:], r[:]) == 1 {
			return used
		}
	}
	return stranger
}

// accept notes which token was used, before rotate: after the one before the newest was used,
// the newest was never received and is void.
func (t *tokens) accept(token string) {
	h := sha256.Sum256([]byte(token))
	if subtle.ConstantTimeCompare(h[:], t.Newest[:]) != 1 {
		t.Newest = t.Previous
	}
}
