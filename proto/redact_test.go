package proto

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"testing"

	"github.com/rs/zerolog"
)

const marker = "MARKER-of-what-must-not-be-logged"

// fill puts the marker into every string and byte slice that it can reach.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		fill(v.Elem())
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				fill(v.Field(i))
			}
		}
	case reflect.String:
		if v.Type() == reflect.TypeFor[string]() { // the named ones are closed sets
			v.SetString(marker)
		}
	case reflect.Slice:
		v.SetBytes([]byte(marker))
	case reflect.Map:
		v.Set(reflect.ValueOf(map[string]string{marker: marker}))
	}
}

// ours are fields of words that the server itself chooses: logs may have them.
var ours = map[string]bool{"SessionEnded": true, "AudioEnd": true, "Interrupted": true, "GoAway": true}

// Whatever logs a message, the library's dead letters above all, logs none of what people
// say, nor their tokens.
func TestNoMessageLogsItsPayload(t *testing.T) {
	all := []any{&Refused{}, &Head{}, &ResumeGrant{}, ResumeGrant{Token: marker}, &Hello{}, Hello{Start: &Start{Voice: marker}, Resume: &Resume{Token: marker}}}
	for _, k := range inboundKinds {
		all = append(all, reflect.New(reflect.TypeOf(k.of).Elem()).Interface())
	}
	for _, k := range outboundKinds {
		all = append(all, k.make())
	}
	encoded := base64.StdEncoding.EncodeToString([]byte(marker))
	for _, m := range all {
		if v := reflect.ValueOf(m); v.Kind() == reflect.Pointer {
			if ours[v.Type().Elem().Name()] {
				continue
			}
			fill(v)
		}
		for name, out := range logged(m) {
			for _, secret := range []string{marker, encoded, hex.EncodeToString([]byte(marker)), "MARKER"} {
				if strings.Contains(out, secret) {
					t.Errorf("%T through %s: %s", m, name, out)
				}
			}
			if !strings.Contains(out, "here") {
				t.Errorf("%T through %s was not logged: %s", m, name, out)
			}
		}
	}
}

// logged gives what each way of logging writes of m.
func logged(m any) map[string]string {
	out := map[string]string{}
	write := func(name string, f func(*bytes.Buffer)) {
		var b bytes.Buffer
		f(&b)
		out[name] = b.String()
	}
	write("slog JSON", func(b *bytes.Buffer) { slog.New(slog.NewJSONHandler(b, nil)).Info("here", "message", m) })
	write("slog text", func(b *bytes.Buffer) { slog.New(slog.NewTextHandler(b, nil)).Info("here", slog.Any("message", m)) })
	write("slog into zerolog", func(b *bytes.Buffer) {
		slog.New(zerolog.NewSlogHandler(zerolog.New(b))).Info("here", slog.Any("message", m))
	})
	write("zerolog", func(b *bytes.Buffer) {
		l := zerolog.New(b)
		l.Info().Interface("message", m).Msg("here")
	})
	if o, ok := m.(zerolog.LogObjectMarshaler); ok {
		write("zerolog object", func(b *bytes.Buffer) {
			l := zerolog.New(b)
			l.Info().Object("message", o).Msg("here")
		})
	}
	if e, ok := m.(error); ok {
		write("zerolog error", func(b *bytes.Buffer) {
			l := zerolog.New(b)
			l.Info().Str("kind", fmt.Sprintf("%T", e)).Err(e).Msg("here")
		})
	}
	return out
}
