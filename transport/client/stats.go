package client

// Stats is what a session has done so far.
type Stats struct {
	// Said is the number of the last numbered message accepted from the caller, Frames how
	// many of these were audio, Samples how long that was, per channel.
	Said, Frames, Samples int64
	// Written counts numbered messages written to a socket, Again those of them that had been
	// written before.
	Written, Again int64
	// Acked is up to which number the server has acknowledged, AckedPos the position there.
	// Where the client does not number, Acked counts frames.
	Acked, AckedPos int64
	// Kept and KeptBytes are what is not yet acknowledged.
	Kept, KeptBytes int
	// Heard is the number of the last sequenced message delivered, HeardFrames and HeardBytes
	// the audio among them.
	Heard, HeardFrames, HeardBytes int64
	// Duplicates counts sequenced messages that came again and were dropped. Skips counts
	// breaks in the server's numbering: none from a good server.
	Duplicates, Skips int64
	// Thrown counts audio of interrupted items that was not delivered.
	Thrown int64
	// Undecoded counts messages that could not be read, or of an unknown type.
	Undecoded int64
	// Overflowed is the audio, in samples per channel, that became part of a gap.
	Overflowed int64
	// Limited counts rate_limited errors, Mended the messages that the server refused and that
	// a gap replaced.
	Limited, Mended int64
	// Connects counts sockets, Resumes those on which the session was taken up again.
	Connects, Resumes int64
}

// Stats gives the session's counts. Anyone may call it.
func (s *Session) Stats() Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stats
	st.Said, st.Heard = s.said, s.heard
	st.Kept, st.KeptBytes = s.ring.n, s.ring.bytes
	return st
}
