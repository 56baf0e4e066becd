// Package actors runs the sessions. Each is a small supervised tree of actors:
//
//	sessions (session manager; its guardian resumes it: one bug there must not hang up every call)
//	 └── <session id> (client: one per session; numbers, dedupes, acknowledges, keeps for replay, writes out;
//	      │            supervises its children one for one, each at most 5 restarts in 10 s)
//	      ├── audio     hears the user's frames: format, length, rate
//	      ├── control   text, turns, pauses, the end
//	      └── voice     holds the stream of the voice that answers; opens it again when it is lost
//
// Gateway is the only exported behaviour: the door for sockets (proto.Opener) and for operators
// (proto.Operator). Life: Start, then Open for each socket, then Drain, then Stop.
//
// # The way of one frame
//
// A socket's read loop calls inlet.Deliver, which takes a credit: the one place that may wait.
// client.take lets the frame in, in its order; audio.hear checks it; talker.listen gives it to
// the voice's stream. What the stream answers comes back through talker.say to client.say,
// which numbers it, keeps it in replay and hands it to the socket. heard then returns the frame
// to the client, who acknowledges it and gives the credit back.
//
// One message of a session is in a child's hands at a time. So a commit acts between the frames
// around it, and when a child crashes it is known to the frame what was lost.
//
// # What the speed rests on
//
// A mailbox runs its actor on the goroutine that posts to it (mailbox.go): the whole way above,
// there and back, is one call stack of the read loop, without a hand-off between goroutines or
// a wake-up. Messages are pointers that travel through named pointer types (listen, heard), so
// a hop allocates nothing. All deadlines of all sessions are one sweep over an array
// (clock.go). An ack goes out with the answer to a frame, in one system call.
//
// Profile-guided optimization was measured and changed nothing beyond noise: of what is left,
// four fifths are the kernel's, and the rest is spread thin.
//
// # What it never does
//
// A handler never waits. Nothing here knows of sockets or HTTP. No log line, event or metric
// holds audio, words or tokens: panics are named by their type unless they are the runtime's or
// ours.
package actors
