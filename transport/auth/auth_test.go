package auth

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var (
	secret = []byte("a secret of thirty-two bytes!!!!")
	noon   = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)
)

// clockwork checks tokens at noon.
func clockwork(t *testing.T, secret []byte) *Tokens {
	t.Helper()
	tokens, err := newTokens(secret, func() time.Time { return noon })
	if err != nil {
		t.Fatal(err)
	}
	return tokens
}

func good() jwt.MapClaims {
	return jwt.MapClaims{"sub": "alice", "aud": Audience, "exp": noon.Add(time.Minute).Unix()}
}

// with is good but for one claim; nil takes it out.
func with(name string, value any) jwt.MapClaims {
	claims := good()
	claims[name] = value
	if value == nil {
		delete(claims, name)
	}
	return claims
}

func sign(t *testing.T, method jwt.SigningMethod, claims jwt.Claims, key any) string {
	t.Helper()
	token, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func TestTokenThatWasMintedIsAccepted(t *testing.T) {
	tokens := clockwork(t, secret)
	token, err := tokens.Mint("alice", time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	subject, expires, err := tokens.Authenticate(token)
	if err != nil || subject != "alice" {
		t.Errorf("Authenticate: %q, %v, want alice, nil", subject, err)
	}
	if want := noon.Add(time.Minute + leeway); !expires.Equal(want) {
		t.Errorf("expires %v, want %v", expires, want)
	}
}

func TestTokensThatAreRefused(t *testing.T) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&rsaKey.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	publicPEM := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	hs := func(claims jwt.MapClaims) string { return sign(t, jwt.SigningMethodHS256, claims, secret) }
	parts := strings.Split(hs(good()), ".")
	for name, token := range map[string]string{
		"none":                     "",
		"garbage":                  "a.b.c",
		"a lone dot":               ".",
		"expired":                  hs(with("exp", noon.Add(-time.Minute).Unix())),
		"just past the leeway":     hs(with("exp", noon.Add(-leeway-time.Second).Unix())),
		"without an end":           hs(with("exp", nil)),
		"an end that is no number": hs(with("exp", "tomorrow")),
		"not yet valid":            hs(with("nbf", noon.Add(time.Minute).Unix())),
		"wrong audience":           hs(with("aud", "bela")),
		"without audience":         hs(with("aud", nil)),
		"without subject":          hs(with("sub", nil)),
		"subject of 257 bytes":     hs(with("sub", strings.Repeat("a", 257))),
		"wrong secret":             sign(t, jwt.SigningMethodHS256, good(), []byte("another secret of 32 bytes......")),
		"alg none":                 sign(t, jwt.SigningMethodNone, good(), jwt.UnsafeAllowNoneSignatureType),
		"alg HS512":                sign(t, jwt.SigningMethodHS512, good(), secret),
		"alg RS256":                sign(t, jwt.SigningMethodRS256, good(), rsaKey),
		"alg EdDSA":                sign(t, jwt.SigningMethodEdDSA, good(), edKey),
		"signature cut off":        parts[0] + "." + parts[1] + ".",
		"claims changed":           parts[0] + "." + strings.Split(hs(with("sub", "bob")), ".")[1] + "." + parts[2],
		"9 KiB":                    hs(with("pad", strings.Repeat("a", 9<<10))),
	} {
		t.Run(name, func(t *testing.T) {
			subject, _, err := clockwork(t, secret).Authenticate(token)
			if err != ErrUnauthorized || subject != "" {
				t.Errorf("Authenticate: %q, %v, want only ErrUnauthorized", subject, err)
			}
		})
	}
	t.Run("HS256 signed with a public key", func(t *testing.T) {
		// Where the server's key is public, whoever knows it must not be able to sign with it.
		_, _, err := clockwork(t, secret).Authenticate(sign(t, jwt.SigningMethodHS256, good(), publicPEM))
		if !errors.Is(err, ErrUnauthorized) {
			t.Errorf("Authenticate: %v, want ErrUnauthorized", err)
		}
	})
}

func TestLeewayCoversClocksThatDiffer(t *testing.T) {
	for name, claims := range map[string]jwt.MapClaims{
		"ended a moment ago":  with("exp", noon.Add(-leeway+time.Second).Unix()),
		"begins in a moment":  with("nbf", noon.Add(leeway-time.Second).Unix()),
		"audience in a list":  with("aud", []string{"bela", Audience}),
		"exactly at its size": with("sub", strings.Repeat("a", maxSubject)),
	} {
		t.Run(name, func(t *testing.T) {
			_, expires, err := clockwork(t, secret).Authenticate(sign(t, jwt.SigningMethodHS256, claims, secret))
			if err != nil {
				t.Fatalf("Authenticate: %v, want nil", err)
			}
			if !expires.After(noon) {
				t.Errorf("expires %v, want after now: an accepted token must not be over at once", expires)
			}
		})
	}
}

func TestSecretsThatCanBeGuessedAreRefused(t *testing.T) {
	short := []byte("  31 bytes, and white space around \n")[:33]
	if _, err := NewTokens(short); !errors.Is(err, ErrShort) {
		t.Errorf("NewTokens: %v, want ErrShort", err)
	}
	if _, err := NewOperator(short); !errors.Is(err, ErrShort) {
		t.Errorf("NewOperator: %v, want ErrShort", err)
	}
}

func TestMintRefusesWhatAuthenticateWould(t *testing.T) {
	for _, subject := range []string{"", strings.Repeat("a", maxSubject+1)} {
		if _, err := clockwork(t, secret).Mint(subject, time.Minute); !errors.Is(err, ErrSubject) {
			t.Errorf("Mint of %d bytes: %v, want ErrSubject", len(subject), err)
		}
	}
}

func TestOperatorTokenMustBeEqual(t *testing.T) {
	token := "an operator's token, 32 bytes up"
	operator, err := NewOperator([]byte(token + "\n"))
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]bool{
		token: true, "": false, token[1:]: false, token + "\n": false, token + "x": false, strings.ToUpper(token): false,
	} {
		if operator.Allows(got) != want {
			t.Errorf("Allows(%q) = %v, want %v", got, !want, want)
		}
	}
}
