package deaths_test

import (
	"os"
	"time"
)

// size is how much of a sweep is done.
type size struct {
	every   int           // each n-th death is died; 1: all of them
	workers int           // nights at once, of each script that is played at the time
	patient time.Duration // how long to wait for what is only done or told later: a claim that outlives its death, a call that may straggle, a second message
}

// sizes are those of both sweeps. The first of each is for CI, about 25 s on two cores; the second
// is complete.
func sizes() map[string][2]size {
	return map[string][2]size{
		"requests":     {{every: 17, workers: 2}, {every: 1, workers: 4, patient: time.Minute}},
		"system calls": {{every: 23, workers: 2}, {every: 1, workers: 4, patient: time.Minute}},
	}
}

func sizeOf(sweep string) size {
	if full() {
		return sizes()[sweep][1]
	}
	return sizes()[sweep][0]
}

// full reports whether everything is to be done, however long it takes.
func full() bool { return os.Getenv("NIGHTLATCH_FULL") == "1" }
