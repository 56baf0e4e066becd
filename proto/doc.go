// Package proto is the language that Aila speaks: every message of the wire protocol
// aila.v1, its errors and its closes, each defined once (PROTOCOL.md is the same for people,
// asyncapi.yaml for machines), and the ports through which transport and actors, who do not
// know each other, meet.
//
// The wire's messages are the actors' messages. Inbound is what a client may say, Outbound
// what the server may say; both are sealed, and one table in codec.go names them all.
//
// The package does no I/O, starts no goroutine and keeps no state but pools of buffers.
package proto
