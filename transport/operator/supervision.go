package operator

import (
	"math"
	"net/http"

	"aila/proto"
)

func (a *API) listEvents(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	f := query(r.URL, "session", "actor", "event", "level", "after", "before", "limit")
	q := eventQuery(f)
	q.After = f.number("after", 0, math.MaxInt64, 0)
	q.Before = f.number("before", 0, math.MaxInt64, 0)
	q.Limit = f.limit()
	if err := f.problem(); err != nil {
		return 0, nil, err
	}
	page, next := a.op.Supervision(q)
	if page == nil {
		page = []proto.Event{}
	}
	return http.StatusOK, eventPage{page, next}, nil
}

// eventPage is one page of the supervision log, newest first; Next goes into before, and is
// 0 on the last page.
type eventPage struct {
	Events []proto.Event `json:"events"`
	Next   int64         `json:"next"`
}

// eventQuery reads the filters that the list and the stream share.
func eventQuery(f *filters) proto.EventQuery {
	return proto.EventQuery{
		Session: f.text("session"),
		Actor:   f.text("actor"),
		Event:   f.oneOf("event", proto.Events),
		Level:   f.oneOf("level", levels),
	}
}

func (a *API) showTree(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	f := query(r.URL, "session", "limit")
	id, limit := f.text("session"), f.limit()
	if err := f.problem(); err != nil {
		return 0, nil, err
	}
	tree := a.op.Tree(id, limit)
	if tree.Name == "" {
		return 0, nil, proto.ErrNoSession
	}
	return http.StatusOK, tree, nil
}

func (a *API) listVoices(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	f := query(r.URL)
	voices := a.op.Voices()
	def := ""
	if len(voices) > 0 {
		def = voices[0]
	}
	return http.StatusOK, voiceList{append([]string{}, voices...), def}, f.problem()
}

// voiceList is what a client may ask for in start, and what it gets when it does not ask.
type voiceList struct {
	Voices  []string `json:"voices"`
	Default string   `json:"default"`
}
