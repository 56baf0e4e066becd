package actors

import (
	"time"

	"aila/actors/voice"
	"aila/proto"
)

// What the voice says, on its way to the user.

// item is the answer that the voice is giving; the zero item: none is open.
type item struct {
	id      string // on the wire
	number  uint16 // in binary frames
	backend string // the backend's own name
	samples int64  // said so far, per channel
}

// itemAlias remembers the wire's name of an item by the backend's own.
type itemAlias struct{ backend, wire string }

// maxAliases is how many items back a transcript may still come.
const maxAliases = 16

// say takes one utterance of the voice. While paused it is held, not dropped.
func (c *client) say(u *utterance) {
	switch {
	case c.ended != "":
		u.release()
	case c.mem.Paused:
		u.own()
		c.held.push(u)
		c.heldMem += int64(len(u.audio.Data)) + 256
		c.regate()
	default:
		c.utter(u)
		u.release()
	}
}

// utter says it to the user.
func (c *client) utter(u *utterance) {
	if u.event == nil {
		c.speak(&u.audio)
		return
	}
	switch ev := u.event.(type) {
	case voice.ItemEnd:
		if ev.Item == c.item.backend {
			c.endItem()
		}
	case voice.Thinking:
		c.setState(&proto.SessionState{State: proto.Thinking})
	case voice.SpeechStarted:
		c.write(&proto.SpeechStarted{Pos: ev.Pos})
	case voice.SpeechStopped:
		c.write(&proto.SpeechStopped{Pos: ev.Pos})
	case voice.Interrupted:
		c.interrupted(ev)
	case voice.Transcript:
		role := "user"
		if ev.Voice {
			role = "voice"
		}
		c.write(&proto.Transcript{ItemID: c.named(ev.Item), Role: role, Text: ev.Text, Final: ev.Final})
	case voice.Notice:
		if ev.Kind == "crisis" {
			c.hub.events.emit(proto.Event{Event: proto.EvCrisis, Session: c.rec.id, Voice: c.rec.voice.Name})
		}
		c.write(&proto.Notice{Kind: ev.Kind, Text: ev.Text})
	}
}

// speak says a piece of audio; the first one of an item announces it.
func (c *client) speak(a *voice.Audio) {
	if c.item.backend != a.Item || c.item.id == "" {
		c.beginItem(a.Item)
	}
	c.speech = proto.AudioOut{Data: a.Data, ItemID: c.item.id, Item: c.item.number, Pos: c.item.samples, Re: a.Re}
	c.writeAudio(&c.speech, a.Samples)
	c.item.samples += a.Samples
	c.mem.SamplesOut += a.Samples
	c.rec.counts.samplesOut.Store(c.mem.SamplesOut)
	if a.Re != 0 && c.readAt != 0 {
		c.hub.tally.frames.observe(int(a.Re), time.Duration(time.Now().UnixNano()-c.readAt))
	}
}

// beginItem opens an item and announces it.
func (c *client) beginItem(backend string) {
	c.endItem()
	id := c.named(backend)
	c.item = item{id: id, number: uint16((c.mem.Items-1)%65535 + 1), backend: backend}
	c.setState(&proto.SessionState{State: proto.Speaking, ItemID: id, Item: int(c.item.number)})
}

// endItem closes the open item, if there is one.
func (c *client) endItem() {
	if c.item.id == "" {
		return
	}
	end := &proto.AudioEnd{ItemID: c.item.id, Samples: c.item.samples}
	c.item = item{}
	c.write(end)
	if c.ended == "" && !c.ending {
		c.setState(&proto.SessionState{State: proto.Listening})
	}
}

// interrupted tells the client to empty its playback queue.
func (c *client) interrupted(ev voice.Interrupted) {
	reason := "client"
	if ev.ByUser {
		reason = "user_speech"
	}
	c.write(&proto.Interrupted{ItemID: c.named(ev.Item), Reason: reason})
}

// named gives the wire's name of an item, a new one where it has none.
func (c *client) named(backend string) string {
	for i := range c.names {
		if c.names[i].backend == backend {
			return c.names[i].wire
		}
	}
	c.mem.Items++
	if len(c.names) == maxAliases {
		c.names = append(c.names[:0], c.names[1:]...)
	}
	c.names = append(c.names, itemAlias{backend, itemName(c.mem.Items)})
	return c.names[len(c.names)-1].wire
}

// aim turns an interrupt's item into the backend's name; false: there is nothing to interrupt.
func (c *client) aim(m *proto.Interrupt) bool {
	if c.tried { // it was aimed before its child crashed
		return true
	}
	if m.ItemID == "" || m.ItemID == c.item.id {
		m.ItemID = c.item.backend
		return true
	}
	for _, known := range c.names {
		if known.wire == m.ItemID && c.mem.Paused { // it may be held
			m.ItemID = known.backend
			return true
		}
	}
	return false
}

// pause holds the voice's answers from now on.
func (c *client) pause(ref string) {
	if !c.mem.Paused {
		c.mem.Paused, c.mem.PausedFrom, c.hearing.paused = true, c.mem.Pos, true
	}
	c.setState(&proto.SessionState{State: proto.Paused, Ref: ref})
}

// unpause says what went unheard, then what was held.
func (c *client) unpause(ref string) {
	if !c.mem.Paused {
		if ref != "" {
			c.setState(&proto.SessionState{State: proto.Listening, Ref: ref})
		}
		return
	}
	c.mem.Paused, c.hearing.paused = false, false
	if c.mem.Pos > c.mem.PausedFrom {
		c.write(&proto.GapOut{FromPos: c.mem.PausedFrom, ToPos: c.mem.Pos, Reason: proto.GapPaused})
	}
	if c.ended == "" {
		c.setState(&proto.SessionState{State: proto.Listening, Ref: ref})
	}
	for c.held.len() > 0 {
		u := c.held.pop().(*utterance)
		c.utter(u)
		u.release()
	}
	c.heldMem = 0
	c.regate()
}

// hush drops the audio that is held: the user interrupted it.
func (c *client) hush() {
	for range c.held.len() {
		u := c.held.pop().(*utterance)
		if u.event == nil {
			c.heldMem -= int64(len(u.audio.Data)) + 256
			u.release()
			continue
		}
		c.held.push(u)
	}
	c.regate()
}

// playback passes on what the user has really heard.
func (c *client) playback(m *proto.Playback) {
	if c.voice != up || c.ended != "" {
		return
	}
	for _, known := range c.names {
		if known.wire == m.ItemID {
			c.rec.tell(voiceChild, played{item: known.backend, msg: m})
			return
		}
	}
}

// finishWithin bounds how long the voice may take to say what is pending at the end.
const finishWithin = 10 * time.Second

// finish waits for the voice to say what is pending.
func (c *client) finish(now int64) {
	c.unpause("")
	c.ending = true
	c.due[dueEnd] = now + int64(finishWithin)
	c.rearm()
	if c.spoken {
		c.end(proto.EndClient)
	}
}

// finished ends the session: the voice has said everything.
func (c *client) finished() {
	c.spoken = true
	if c.ending {
		c.end(proto.EndClient)
	}
}
