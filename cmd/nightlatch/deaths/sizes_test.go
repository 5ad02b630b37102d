package deaths_test

import (
	"os"
	"time"
)

// size is how much of a sweep is done.
type size struct {
	every   int           // each n-th death is died; 1: all of them
	workers int           // nights at once
	patient time.Duration // how long to wait for what the program only does later: a claim that outlives its death, a call that may straggle
}

// sizes are those of both sweeps. The first of each is for CI, about 25 s on two cores; the second
// is complete.
func sizes() map[string][2]size {
	return map[string][2]size{
		"requests":     {{every: 5, workers: 2}, {every: 1, workers: 2, patient: time.Minute}},
		"system calls": {{every: 31, workers: 2}, {every: 1, workers: 2, patient: time.Minute}},
	}
}

func sizeOf(sweep string) size {
	if os.Getenv("NIGHTLATCH_FULL") == "1" {
		return sizes()[sweep][1]
	}
	return sizes()[sweep][0]
}
