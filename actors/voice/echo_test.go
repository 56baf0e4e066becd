package voice_test

import (
	"testing"

	"aila/actors/voice"
	"aila/actors/voice/voicetest"
)

func TestEchoConforms(t *testing.T) {
	voicetest.Run(t, voicetest.Backend{Voice: voice.NewEcho()})
}
