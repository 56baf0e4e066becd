package operator

import (
	"bytes"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strings"
	"time"
	"unicode/utf8"
)

// startDrain begins the drain. Asking again is no second signal: it changes nothing.
func (a *API) startDrain(_ http.ResponseWriter, _ *http.Request) (int, any, error) {
	if a.opt.Drain == nil {
		return 0, nil, fail(http.StatusNotFound, "not_found", "this server cannot be drained from here")
	}
	a.drain.Do(func() {
		a.opt.Log.Warn().Msg("operator drains the server")
		a.opt.Drain()
	})
	return http.StatusAccepted, act{Draining: true}, nil
}

// Bounds of the tokens that operators mint.
const (
	defaultTTL    = 5 * time.Minute
	maxTTL        = 24 * time.Hour
	maxSubject    = 128 // bytes
	shortestTTLMS = 1000
)

// tokenOrder is the body of POST /api/v1/tokens.
type tokenOrder struct {
	// Sub is who the token speaks for.
	Sub string `json:"sub"`
	// TTL is how long it lives. 0 means 5 minutes, at most a day.
	TTL int64 `json:"ttl_ms"`
}

// mintedToken is the answer: the only one that holds a token, which is what was asked for.
type mintedToken struct {
	Token     string    `json:"token"`
	Sub       string    `json:"sub"`
	ExpiresAt time.Time `json:"expires_at"`
}

func (a *API) mintToken(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	if a.opt.MintToken == nil {
		return 0, nil, fail(http.StatusNotFound, "not_found", "this server mints no tokens")
	}
	order, f := readOrder(r)
	if f != nil {
		return 0, nil, f
	}
	ttl := defaultTTL
	if order.TTL != 0 {
		ttl = time.Duration(order.TTL) * time.Millisecond
	}
	token, err := a.opt.MintToken(order.Sub, ttl)
	if err != nil {
		a.opt.Log.Error().Err(err).Msg("minting a token")
		return 0, nil, err
	}
	return http.StatusCreated, mintedToken{token, order.Sub, time.Now().Add(ttl).UTC().Truncate(time.Second)}, nil
}

// readOrder reads and checks a token order.
func readOrder(r *http.Request) (tokenOrder, *failure) {
	var order tokenOrder
	if kind := r.Header.Get("Content-Type"); kind != "" {
		if media, _, err := mime.ParseMediaType(kind); err != nil || media != "application/json" {
			return order, fail(http.StatusUnsupportedMediaType, "bad_body", "the body is application/json")
		}
	}
	p, err := io.ReadAll(r.Body)
	if err != nil {
		return order, fail(http.StatusBadRequest, "bad_body", "the body did not arrive whole")
	}
	dec := json.NewDecoder(bytes.NewReader(p))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&order); err != nil || dec.More() {
		return order, fail(http.StatusBadRequest, "bad_body", `the body is one JSON object: {"sub": string, "ttl_ms": integer}`)
	}
	if order.Sub == "" || len(order.Sub) > maxSubject || !utf8.ValidString(order.Sub) || strings.ContainsFunc(order.Sub, isControl) {
		return order, fail(http.StatusBadRequest, "bad_field", "sub is a text of 1 to 128 bytes without control characters")
	}
	if order.TTL != 0 && (order.TTL < shortestTTLMS || order.TTL > maxTTL.Milliseconds()) {
		return order, fail(http.StatusBadRequest, "bad_field", "ttl_ms is an integer from 1000 to 86400000")
	}
	return order, nil
}

func isControl(r rune) bool { return r < ' ' || r == 0x7f }
