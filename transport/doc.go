// Package transport is everything that listens: one port for HTTP and WebSocket. It carries
// messages between sockets and sessions and knows nothing of what they mean beyond the first
// one, which joins the socket to a session through proto.Opener.
//
// A connection's layers, from the wire up:
//
//	pipe       the TCP connection; after the upgrade its Read and Write never wait
//	tls.Conn   where the server was given certificates
//	intake     what was read and not yet understood, in a buffer held only meanwhile
//	inspector  checks every frame header in the intake before the library sees it
//	websocket  coder/websocket: the handshake, joins fragments, answers closes; what is one
//	           frame, as audio, pings and pongs are, passes it by (2 µs of a frame's 26, and
//	           12 KiB of stack that an idle socket would keep after its first pong)
//	socket     decodes messages, delivers them, and is the session's proto.Outlet
//
// A frame of audio costs one read and one write, neither of which Go's scheduler hears of
// (rawcall_linux.go), and the read that would find nothing is left out (socket.turn).
//
// Each socket has one goroutine, its read loop, and a second one only while its peer reads
// too slowly. Whatever depends on time is done by one sweep over all sockets. Writes never
// wait: what the kernel does not take is kept up to a bound, and over it the socket is cut.
//
// A Server lives from New through Handle and Serve to Shutdown, which returns when every
// goroutine has ended. The package never logs what a client said, a token, or a header.
package transport
