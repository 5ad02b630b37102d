//go:build !race

package service_test

// raceDetector says that everything takes ten times as long.
const raceDetector = false
