// Package client is the client side of aila.v1: a session that loses nothing, over sockets
// that may.
//
// Dial connects, starts a session and returns it. From then on one goroutine of the session
// reads, and takes the session up again on a new socket whenever one is lost. What Send and
// its like accept is numbered, kept until the server has acknowledged it, and sent again
// unchanged after a resume; what the server numbered is delivered once, in order. End asks for
// a polite end, Wait waits for it; Close lets go at once, and the server keeps the session for
// its resume window.
//
// A session costs one goroutine, one timer of the runtime, its socket, and the audio that is
// not yet acknowledged; a second goroutine lives only while there is something to write.
//
// The package never logs and never shows audio, words or tokens in an error.
package client
