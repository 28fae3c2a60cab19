package soak_test

import (
	"fmt"

	"estab/sim/soak"
)

// A hundred worlds in which nothing may go wrong.
func Example() {
	profile, _ := soak.ProfileByName("calm")
	s := soak.Run(&soak.Options{Profile: profile, From: 0, To: 99, Workers: 2})
	fmt.Println(s.Worlds, "worlds,", len(s.Failures), "failures")
	// Output:
	// 100 worlds, 0 failures
}
