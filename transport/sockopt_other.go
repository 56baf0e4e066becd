//go:build !linux

package transport

// setUserTimeout does nothing where the kernel has no such bound of its own.
func setUserTimeout(int) {}
