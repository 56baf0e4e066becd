package proto

// Close is how a WebSocket ends: a code and a short fixed reason, never user content. The
// zero Close means none.
type Close struct {
	// Code is of RFC 6455, section 7.4, or of the protocol's own (4000 to 4499: resume, 4500
	// to 4999: stop).
	Code int
	// Reason is at most 123 bytes.
	Reason string
}

// The closes of the protocol (section 6), each with its one reason.
var (
	CloseEnded         = Close{1000, "session ended"}
	CloseProtocol      = Close{1002, "websocket protocol error"}
	CloseUnsupportedWS = Close{1003, "unsupported data"}
	CloseBadUTF8       = Close{1007, "text is not UTF-8"}
	ClosePolicy        = Close{1008, "policy violation"}
	CloseUnauthorized  = Close{1008, "unauthorized"}
	CloseNoFirst       = Close{1008, "no first message within 10 s"}
	CloseFragments     = Close{1008, "too many fragments"}
	ClosePingFlood     = Close{1008, "too many pings"}
	CloseUnsupported   = Close{1008, "unsupported"}
	CloseTooBig        = Close{1009, "message too big"}
	CloseFailed        = Close{1011, "session failed"}
	CloseGoingAway     = Close{1012, "server is going away"}
	CloseOverloaded    = Close{1013, "overloaded"}

	CloseHeartbeat     = Close{4001, "heartbeat missed"}
	CloseTooSlow       = Close{4002, "reading too slowly"}
	CloseUnfinished    = Close{4003, "message not finished within 5 s"}
	CloseOperator      = Close{4500, "ended by an operator"}
	CloseExpired       = Close{4502, "token expired"}
	CloseResumeRefused = Close{4503, "resume refused"}
	CloseTakenOver     = Close{4504, "taken over by another connection"}
	CloseMaxDuration   = Close{4505, "maximum duration"}
	CloseTooManyErrors = Close{4507, "too many errors"}
)

// Resumable tells whether the protocol lets a client resume after this close code; an
// unknown code of 0 means that the socket was lost without one.
func Resumable(code int) bool {
	return code == 0 || code == 1006 || code == 1012 || code == 1001 || code >= 4000 && code < 4500
}

// Close is the close with which a session that ended for r closes its socket.
func (r EndReason) Close() Close {
	switch r {
	case EndOperator:
		return CloseOperator
	case EndMaxDuration:
		return CloseMaxDuration
	case EndFailed:
		return CloseFailed
	case EndShutdown:
		return CloseGoingAway
	}
	return CloseEnded
}
