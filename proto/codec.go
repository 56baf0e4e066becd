package proto

import (
	"errors"
	"reflect"
)

// ErrNotUTF8 is returned for a text message that is not UTF-8: close 1007.
var ErrNotUTF8 = errors.New("text is not UTF-8")

// ErrUnknown is returned to a client for a message of a type that it does not know. Clients
// ignore such messages: a newer server may say more.
var ErrUnknown = errors.New("message of an unknown type")

// inboundKind is one row of the table of what a client may say.
type inboundKind struct {
	name   string // the message's type
	action string // session_control only
	of     Inbound
	read   func(*reader, Head) Inbound
}

// numbered tells whether the kind is marked N in the protocol.
func (k *inboundKind) numbered() bool {
	_, ok := k.of.(Numbered)
	return ok
}

// outboundKind is one row of the table of what the server may say.
type outboundKind struct {
	name string
	make func() Outbound
}

// audioChunk is the one name that the fast path knows too.
const audioChunk = "audio_chunk"

const sessionControl = "session_control"

// inboundKinds is the table of what a client may say. Refused is not in it: it is never sent.
var inboundKinds = []inboundKind{
	{sessionControl, "start", (*Start)(nil), readStart},
	{sessionControl, "resume", (*Resume)(nil), readResume},
	{sessionControl, "refresh", (*Refresh)(nil), readRefresh},
	{sessionControl, "pause", (*Pause)(nil), func(_ *reader, h Head) Inbound { return &Pause{h} }},
	{sessionControl, "continue", (*Continue)(nil), func(_ *reader, h Head) Inbound { return &Continue{h} }},
	{sessionControl, "commit", (*Commit)(nil), func(_ *reader, h Head) Inbound { return &Commit{h} }},
	{sessionControl, "interrupt", (*Interrupt)(nil), readInterrupt},
	{sessionControl, "end", (*End)(nil), func(_ *reader, h Head) Inbound { return &End{h} }},
	{audioChunk, "", (*AudioIn)(nil), readAudio},
	{"gap", "", (*GapIn)(nil), readGap},
	{"text", "", (*TextIn)(nil), readText},
	{"ack", "", (*AckIn)(nil), readAck},
	{"playback", "", (*Playback)(nil), readPlayback},
	{"ping", "", (*Ping)(nil), readPing},
}

// outboundKinds is the table of what the server may say.
var outboundKinds = []outboundKind{
	{"session_started", func() Outbound { return new(SessionStarted) }},
	{"session_resumed", func() Outbound { return new(SessionResumed) }},
	{"session_state", func() Outbound { return new(SessionState) }},
	{"session_ended", func() Outbound { return new(SessionEnded) }},
	{audioChunk, func() Outbound { return new(AudioOut) }},
	{"audio_end", func() Outbound { return new(AudioEnd) }},
	{"speech_started", func() Outbound { return new(SpeechStarted) }},
	{"speech_stopped", func() Outbound { return new(SpeechStopped) }},
	{"interrupted", func() Outbound { return new(Interrupted) }},
	{"transcript", func() Outbound { return new(Transcript) }},
	{"gap", func() Outbound { return new(GapOut) }},
	{"notice", func() Outbound { return new(Notice) }},
	{"ack", func() Outbound { return new(AckOut) }},
	{"goaway", func() Outbound { return new(GoAway) }},
	{"error", func() Outbound { return new(Fault) }},
	{"pong", func() Outbound { return new(Pong) }},
}

// The tables by what is looked up in them; filled once, then only read.
var (
	inboundByName  = map[[2]string]*inboundKind{}
	inboundByType  = map[reflect.Type]*inboundKind{}
	outboundByName = map[string]*outboundKind{}
	outboundByType = map[reflect.Type]*outboundKind{}
)

func init() {
	for i := range inboundKinds {
		k := &inboundKinds[i]
		inboundByName[[2]string{k.name, k.action}] = k
		inboundByType[reflect.TypeOf(k.of)] = k
	}
	for i := range outboundKinds {
		k := &outboundKinds[i]
		outboundByName[k.name] = k
		outboundByType[reflect.TypeOf(k.make())] = k
	}
}

// Decode parses one text message from a client. A message that is refused comes back as
// *Refused, never as an error; the only error is ErrNotUTF8. b is only read, and not kept.
func Decode(b []byte) (Inbound, error) {
	if a := fastAudioIn(b); a != nil {
		return a, nil
	}
	return decode(b)
}

// Append appends m as one JSON message. What is not UTF-8 in m's strings is replaced by U+FFFD.
func Append(dst []byte, m Outbound) []byte {
	switch m := m.(type) {
	case *AudioOut:
		return appendAudioOut(dst, m)
	case *AckOut:
		return appendAckOut(dst, m)
	}
	return appendOutbound(dst, m)
}

// AppendInbound appends m as one JSON message, as a client sends it. A *Refused is nothing
// that a client says: it appends nothing.
func AppendInbound(dst []byte, m Inbound) []byte {
	switch m := m.(type) {
	case *AudioIn:
		return appendAudioIn(dst, m)
	case *AckIn:
		return appendAckIn(dst, m)
	case *Refused:
		return dst
	}
	return appendInbound(dst, m)
}

// DecodeOutbound parses one text message from a server. A type that is not known gives
// ErrUnknown; fields that are not known are ignored. b is only read, and not kept.
func DecodeOutbound(b []byte) (Outbound, error) {
	if a := fastAudioOut(b); a != nil {
		return a, nil
	}
	return decodeOutbound(b)
}
