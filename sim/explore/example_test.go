package explore_test

import (
	"fmt"

	"estab/sim/explore"
)

// With two segments instead of three an old SYN makes a connection of which
// its sender knows nothing.
func Example() {
	w, _ := explore.WorldByName("two-way")
	r := explore.Explore(&w, explore.Options{})
	for i, s := range r.Trail.Steps {
		fmt.Printf("%d. %s\n", i+1, s)
	}
	fmt.Println(r.Wrong)
	// Output:
	// 1. A opens, and gives up before an answer comes; it sends <SEQ=100><CTL=SYN>
	// 2. B receives <SEQ=100><CTL=SYN>; it sends <SEQ=300><ACK=101><CTL=SYN,ACK>; <SEQ=101><ACK=301><CTL=ACK> is forged in answer to it at once
	// B is in ESTABLISHED with the numbers 100 (A's) and 300 (B's), and A has never agreed to them: a ghost
}
