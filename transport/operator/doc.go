// Package operator is how the people who run Aila see and steer it: the JSON API under
// /api/v1, the event stream, the metrics and the console page.
//
// An API is made once with New, mounted with Register and lives as long as the server; Run
// collects the history behind the console's charts, Close ends the streams that are open.
// Everything it says comes from proto.Operator's books: no request waits for a session, and
// nothing it says holds audio, words or a session's tokens. The page is public, its data is
// not: every route of the API asks who is there first.
package operator
