package proto

// Nearest resolves the low 32 bits of a sequence number, as binary frames carry them, to the
// value nearest to next, the next expected one.
func Nearest(low uint32, next int64) int64 {
	return next + int64(int32(low-uint32(next)))
}
