package operator

import (
	"net/http"

	"aila/proto"
)

func (a *API) listSessions(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	f := query(r.URL, "limit", "after", "state", "voice", "metadata")
	q := proto.SessionQuery{
		After:    f.text("after"),
		State:    proto.State(f.oneOf("state", words(states))),
		Voice:    f.oneOf("voice", a.op.Voices()),
		Limit:    f.limit(),
		Metadata: f.flag("metadata"),
	}
	if err := f.problem(); err != nil {
		return 0, nil, err
	}
	page, next := a.op.Sessions(q)
	if page == nil {
		page = []proto.SessionView{}
	}
	return http.StatusOK, sessionPage{page, next}, nil
}

// sessionPage is one page of the list; Next goes into after, and is empty on the last page.
type sessionPage struct {
	Sessions []proto.SessionView `json:"sessions"`
	Next     string              `json:"next"`
}

func (a *API) showSession(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	s, err := a.op.Session(r.PathValue("id"))
	return http.StatusOK, s, err
}

// endSession answers 202: the session says its goodbye on its own time.
func (a *API) endSession(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	id := r.PathValue("id")
	if err := a.op.End(id); err != nil {
		return 0, nil, err
	}
	a.opt.Log.Info().Str("session", id).Msg("operator ends a session")
	return http.StatusAccepted, act{Session: id}, nil
}

// crashActor answers 202, and the actor panics on its own goroutine; 403 without
// fault injection.
func (a *API) crashActor(_ http.ResponseWriter, r *http.Request) (int, any, error) {
	if !a.op.FaultInjection() {
		return 0, nil, proto.ErrForbidden
	}
	f := query(r.URL, "on")
	onFrame := f.oneOf("on", []string{"frame"}) == "frame"
	if err := f.problem(); err != nil {
		return 0, nil, err
	}
	id, actor := r.PathValue("id"), r.PathValue("actor")
	if err := a.op.Crash(id, actor, onFrame); err != nil {
		return 0, nil, err
	}
	a.opt.Log.Warn().Str("session", id).Str("actor", actor).Msg("operator crashes an actor")
	return http.StatusAccepted, act{Session: id, Actor: actor}, nil
}

// act names what an accepted request acts on.
type act struct {
	Session string `json:"session,omitempty"`
	Actor   string `json:"actor,omitempty"`
	// Draining is set by POST /api/v1/drain.
	Draining bool `json:"draining,omitempty"`
}
