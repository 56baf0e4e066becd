package proto

import (
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Text from a voice need not be UTF-8; the wire's is.
var replaceInvalid = jsontext.AllowInvalidUTF8(true)

// fixedBytes bounds all of an audio_chunk but its data and strings: names, quotes, numbers.
const fixedBytes = 160

func appendAudioOut(dst []byte, a *AudioOut) []byte {
	dst = slices.Grow(dst, fixedBytes+len(a.ItemID)+(len(a.Data)+2)/3*4)
	dst = append(dst, `{"type":"audio_chunk","seq":`...)
	dst = strconv.AppendInt(dst, a.Seq, 10)
	dst = append(dst, `,"item_id":`...)
	dst = appendString(dst, a.ItemID)
	dst = append(dst, `,"pos":`...)
	dst = strconv.AppendInt(dst, a.Pos, 10)
	if a.Re != 0 {
		dst = append(dst, `,"re":`...)
		dst = strconv.AppendInt(dst, a.Re, 10)
	}
	return appendData(dst, a.Data)
}

func appendAudioIn(dst []byte, a *AudioIn) []byte {
	dst = slices.Grow(dst, fixedBytes+len(a.ID)+(len(a.Data)+2)/3*4)
	dst = append(dst, `{"type":"audio_chunk"`...)
	if a.Seq != 0 {
		dst = append(dst, `,"seq":`...)
		dst = strconv.AppendInt(dst, a.Seq, 10)
	}
	if a.ID != "" {
		dst = append(dst, `,"id":`...)
		dst = appendString(dst, a.ID)
	}
	return appendData(dst, a.Data)
}

// appendData appends an audio_chunk's last field.
func appendData(dst, data []byte) []byte {
	dst = append(dst, `,"data":"`...)
	// Escaped strings may have used up what was grown before.
	dst = slices.Grow(dst, (len(data)+2)/3*4+2)
	dst = append64(dst, data)
	return append(dst, `"}`...)
}

func appendAckOut(dst []byte, a *AckOut) []byte {
	dst = append(dst, `{"type":"ack","seq":`...)
	dst = strconv.AppendInt(dst, a.Seq, 10)
	dst = append(dst, `,"pos":`...)
	dst = strconv.AppendInt(dst, a.Pos, 10)
	return append(dst, '}')
}

func appendAckIn(dst []byte, a *AckIn) []byte {
	dst = append(dst, `{"type":"ack","seq":`...)
	dst = strconv.AppendInt(dst, a.Seq, 10)
	return append(dst, '}')
}

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			dst, _ = jsontext.AppendQuote(dst, s) // the error says that it replaced what is not UTF-8
			return dst
		}
	}
	dst = append(dst, '"')
	dst = append(dst, s...)
	return append(dst, '"')
}

// appendOutbound is Append for any message but audio.
func appendOutbound(dst []byte, m Outbound) []byte {
	k := outboundByType[reflect.TypeOf(m)]
	if k == nil {
		panic(fmt.Sprintf("proto: %T is not in the table", m))
	}
	return appendObject(dst, k.name, m)
}

// appendObject appends v, a struct, with its type as the first member.
func appendObject(dst []byte, name string, v any) []byte {
	body, err := json.Marshal(v, replaceInvalid)
	if err != nil {
		panic(fmt.Sprintf("proto: encode %s: %v", name, err)) // only a NaN of ours could do it
	}
	dst = append(dst, `{"type":"`...)
	dst = append(dst, name...)
	dst = append(dst, '"')
	if string(body) == "{}" {
		return append(dst, '}')
	}
	dst = append(dst, ',')
	return append(dst, body[1:]...)
}
