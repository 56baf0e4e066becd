package main

import (
	"fmt"
	"slices"

	"aila/actors"
	"aila/actors/voice"
)

// backend is one kind of voice that this binary has.
type backend struct {
	name string
	open func(config) (voice.Voice, error)
}

// backends is the one table of voices: a new one costs its folder and one line here.
var backends = []backend{
	{"echo", func(config) (voice.Voice, error) { return voice.NewEcho(), nil }},
}

func voiceNames() []string {
	var names []string
	for _, b := range backends {
		names = append(names, b.name)
	}
	return names
}

// openVoices makes the voices that a session may name, the default one first.
func openVoices(c config) ([]actors.NamedVoice, error) {
	var voices []actors.NamedVoice
	for _, b := range backends {
		if len(c.Voices) > 0 && !slices.Contains(c.Voices, b.name) {
			continue
		}
		v, err := b.open(c)
		if err != nil {
			return nil, fmt.Errorf("voice %s: %w", b.name, err)
		}
		named := actors.NamedVoice{Name: b.name, Voice: v}
		if b.name == c.Voice {
			voices = slices.Insert(voices, 0, named)
			continue
		}
		voices = append(voices, named)
	}
	return voices, nil
}
