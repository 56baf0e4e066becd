package operator

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"aila/proto"
)

// maxBody bounds what a request may carry.
const maxBody = 1 << 20

// bodyPatience is how long a request's body may take to arrive.
const bodyPatience = 10 * time.Second

// failure is an answer that is not a success. Every one has the same shape on the wire:
// {"error":{"code","message"}}.
type failure struct {
	status  int
	code    string
	message string
}

// Error implements error.
func (f *failure) Error() string { return f.code + ": " + f.message }

func fail(status int, code, message string) *failure { return &failure{status, code, message} }

// badFilter is the answer to a query that cannot be meant as it stands.
func badFilter(message string) *failure { return fail(http.StatusBadRequest, "bad_filter", message) }

// asFailure turns what an Operator's act returned into an answer.
func asFailure(err error) *failure {
	var f *failure
	switch {
	case errors.As(err, &f):
		return f
	case errors.Is(err, proto.ErrNoSession):
		return fail(http.StatusNotFound, "no_such_session", "no session has this id")
	case errors.Is(err, proto.ErrNoActor):
		return fail(http.StatusNotFound, "no_such_actor", "the actors of a session are audio, control and voice")
	case errors.Is(err, proto.ErrForbidden):
		return fail(http.StatusNotFound, "not_found", "fault injection is off")
	}
	return fail(http.StatusInternalServerError, "internal", "the server could not answer; its log says why")
}

// ServeHTTP picks the method, takes the body in, and writes what the handler answers.
func (rt route) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet
	}
	h, ok := rt.methods[method]
	if !ok {
		w.Header().Set("Allow", rt.allow())
		refuse(w, fail(http.StatusMethodNotAllowed, "method_not_allowed", "this path takes "+rt.allow()))
		return
	}
	if f := takeBody(w, r); f != nil {
		refuse(w, f)
		return
	}
	status, body, err := h(w, r)
	switch {
	case err != nil:
		refuse(w, asFailure(err))
	case status != 0:
		answer(w, status, body)
	}
}

// allow lists the methods of a route as the Allow header wants them.
func (rt route) allow() string {
	names := slices.Sorted(maps.Keys(rt.methods))
	if _, ok := rt.methods[http.MethodGet]; ok {
		names = append(names, http.MethodHead)
	}
	return strings.Join(names, ", ")
}

// takeBody reads the whole body, so that an oversized one is refused on every route, also
// where nobody would have read it.
func takeBody(w http.ResponseWriter, r *http.Request) *failure {
	tooLarge := fail(http.StatusRequestEntityTooLarge, "too_large", "a body may have at most 1 MiB")
	if r.ContentLength > maxBody {
		w.Header().Set("Connection", "close")
		return tooLarge
	}
	if r.ContentLength == 0 || r.Body == nil || r.Body == http.NoBody {
		return nil
	}
	control := http.NewResponseController(w)
	// Not every ResponseWriter has deadlines; the server's own does.
	_ = control.SetReadDeadline(time.Now().Add(bodyPatience))
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	_ = control.SetReadDeadline(time.Time{})
	var over *http.MaxBytesError
	switch {
	case errors.As(err, &over):
		return tooLarge
	case err != nil:
		return fail(http.StatusBadRequest, "bad_body", "the body did not arrive whole")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// refuse writes a failure.
func refuse(w http.ResponseWriter, f *failure) {
	type shape struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}
	answer(w, f.status, map[string]shape{"error": {f.code, f.message}})
}

// answer writes one JSON value.
func answer(w http.ResponseWriter, status int, body any) {
	p, err := json.Marshal(body)
	if err != nil {
		// Only values of this package come here; one that cannot be encoded is a bug.
		http.Error(w, `{"error":{"code":"internal","message":"the answer cannot be encoded"}}`, http.StatusInternalServerError)
		return
	}
	head := w.Header()
	head.Set("Content-Type", "application/json")
	head.Set("Cache-Control", "no-store")
	head.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	// A peer that hung up is not worth a word.
	_, _ = w.Write(append(p, '\n'))
}
