//go:build race

package estab_test

const raceEnabled = true
