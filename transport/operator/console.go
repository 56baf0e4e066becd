package operator

import "net/http"

// console serves the page. It is public; what it shows it has to ask the API for.
func (a *API) console() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			refuse(w, fail(http.StatusMethodNotAllowed, "method_not_allowed", "this path takes GET, HEAD"))
			return
		}
		refuse(w, fail(http.StatusNotFound, "not_found", "no such path"))
	})
}
