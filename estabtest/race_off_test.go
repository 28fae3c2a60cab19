//go:build !race

package estabtest_test

const raceEnabled = false
