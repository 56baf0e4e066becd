// Package load puts a server under the load of many real sessions and tells what became of
// every frame. It is what `aila load` runs.
//
// A Run plays clients through the project's own Go client: each says a loop of recorded
// speech as fast as it is spoken, from a place of its own in the loop, and compares every
// echo with what was said, sample by sample. A few pacing goroutines send for all clients
// after a fixed schedule; one conductor lets clients join, leave, lose their sockets and
// crash, as the options say and as the seed draws it.
//
// All times count from when a frame should have been sent, not from when it was: a server, a
// network or a generator that stalls cannot hide the frames that it held up. How late the
// generator itself sent is measured too, and said where it spoils the figures.
//
// The package prints nothing while it runs and never ends the process.
package load
