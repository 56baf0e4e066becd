//go:build !unix

package load

import (
	"os"
	"time"
)

func ownCPU() time.Duration { return 0 }

func openFiles() uint64 { return 0 }

// Columns is how wide a terminal is taken to be.
func Columns(*os.File) int { return 80 }
