//go:build !linux

package main

import "testing"

// kernelMemory is known on Linux only.
func kernelMemory(testing.TB, int, map[int]bool) int { return -1 }
