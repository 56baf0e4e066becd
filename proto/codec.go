package proto

import "errors"

// ErrNotUTF8 is returned for a text message that is not UTF-8: close 1007.
var ErrNotUTF8 = errors.New("text is not UTF-8")

// Decode parses one text message from a client. A message that is refused comes back as
// *Refused, never as an error; the only error is ErrNotUTF8. b is only read, and not kept.
func Decode(b []byte) (Inbound, error) { panic("todo") }

// DecodeBinary parses one binary message from a client into *AudioIn or *Refused.
func DecodeBinary(b []byte) Inbound { panic("todo") }

// Append appends m as one JSON message.
func Append(dst []byte, m Outbound) []byte { panic("todo") }

// AppendBinary appends a as one binary message.
func AppendBinary(dst []byte, a *AudioOut) []byte { panic("todo") }

// The client's side.

// AppendInbound appends m as one JSON message, as a client sends it.
func AppendInbound(dst []byte, m Inbound) []byte { panic("todo") }

// AppendInboundBinary appends a as one binary message, as a client sends it.
func AppendInboundBinary(dst []byte, a *AudioIn) []byte { panic("todo") }

// DecodeOutbound parses one text message from a server. Unknown types give ErrUnknown.
func DecodeOutbound(b []byte) (Outbound, error) { panic("todo") }

// DecodeOutboundBinary parses one binary message from a server; seq is resolved against next.
func DecodeOutboundBinary(b []byte, next int64) (*AudioOut, error) { panic("todo") }
