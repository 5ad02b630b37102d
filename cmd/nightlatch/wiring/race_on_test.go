//go:build race

package wiring_test

// raceDetector says that everything takes ten times as long.
const raceDetector = true
