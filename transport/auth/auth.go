// Package auth tells who may connect. Clients hold JSON Web Tokens, signed with a secret that
// the server shares with whoever mints them (HS256, audience "aila"); operators hold one long
// random token. The package keeps no list of tokens, opens no file and logs nothing.
package auth

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

const (
	// Audience is what a client's token must name in aud.
	Audience = "aila"
	// MaxToken is how many bytes a token may have.
	MaxToken = 8 << 10
	// MinSecret is how many bytes a secret or an operator's token must have.
	MinSecret = 32
	// maxSubject is how many bytes the name of a client may have.
	maxSubject = 256
	// leeway is how far the clocks of who mints and who checks may be apart.
	leeway = 10 * time.Second
)

var (
	// ErrUnauthorized is the one answer to every token that is not good: no hint for who guesses.
	ErrUnauthorized = errors.New("unauthorized")
	// ErrShort is what New... return for a secret that can be guessed.
	ErrShort = fmt.Errorf("want %d bytes or more, such as openssl rand -hex 32 writes", MinSecret)
	// ErrSubject is what Mint returns for a subject that Authenticate would refuse.
	ErrSubject = fmt.Errorf("want a subject of 1 to %d bytes", maxSubject)
)

// Tokens mints and checks clients' tokens. It may be used from any goroutine.
type Tokens struct {
	secret []byte
	parser *jwt.Parser
	now    func() time.Time
}

// NewTokens takes the secret that signs: the bytes of a file, white space around them left
// out. It returns ErrShort.
func NewTokens(secret []byte) (*Tokens, error) { return newTokens(secret, time.Now) }

func newTokens(secret []byte, now func() time.Time) (*Tokens, error) {
	secret = bytes.TrimSpace(secret)
	if len(secret) < MinSecret {
		return nil, ErrShort
	}
	return &Tokens{
		secret: bytes.Clone(secret),
		now:    now,
		// The one algorithm is ours to say, never the token's.
		parser: jwt.NewParser(
			jwt.WithValidMethods([]string{jwt.SigningMethodHS256.Alg()}),
			jwt.WithAudience(Audience),
			jwt.WithExpirationRequired(),
			jwt.WithLeeway(leeway),
			jwt.WithStrictDecoding(),
			jwt.WithTimeFunc(now),
		),
	}, nil
}

// Authenticate tells who the token speaks for and when it stops being accepted, which is a
// leeway after its exp. Its only error is ErrUnauthorized.
func (t *Tokens) Authenticate(token string) (subject string, expires time.Time, err error) {
	if token == "" || len(token) > MaxToken {
		return "", time.Time{}, ErrUnauthorized
	}
	var claims jwt.RegisteredClaims
	if _, err := t.parser.ParseWithClaims(token, &claims, t.key); err != nil {
		return "", time.Time{}, ErrUnauthorized
	}
	if claims.Subject == "" || len(claims.Subject) > maxSubject {
		return "", time.Time{}, ErrUnauthorized
	}
	return claims.Subject, claims.ExpiresAt.Add(leeway), nil
}

func (t *Tokens) key(*jwt.Token) (any, error) { return t.secret, nil }

// Mint makes a token that speaks for subject for so long. It returns ErrSubject.
func (t *Tokens) Mint(subject string, ttl time.Duration) (string, error) {
	if subject == "" || len(subject) > maxSubject {
		return "", ErrSubject
	}
	now := t.now()
	return jwt.NewWithClaims(jwt.SigningMethodHS256, jwt.RegisteredClaims{
		Subject:   subject,
		Audience:  jwt.ClaimStrings{Audience},
		IssuedAt:  jwt.NewNumericDate(now),
		NotBefore: jwt.NewNumericDate(now),
		ExpiresAt: jwt.NewNumericDate(now.Add(ttl)),
	}).SignedString(t.secret)
}

// Operator checks the one token that operators send. It keeps only a hash of it and may be
// used from any goroutine.
type Operator struct{ hash [sha256.Size]byte }

// NewOperator takes the token: the bytes of a file, white space around them left out. It
// returns ErrShort.
func NewOperator(token []byte) (*Operator, error) {
	token = bytes.TrimSpace(token)
	if len(token) < MinSecret {
		return nil, ErrShort
	}
	return &Operator{hash: sha256.Sum256(token)}, nil
}

// Allows tells whether the token is the operators', in a time that does not tell how near it is.
func (o *Operator) Allows(token string) bool {
	hash := sha256.Sum256([]byte(token))
	return subtle.ConstantTimeCompare(hash[:], o.hash[:]) == 1
}
