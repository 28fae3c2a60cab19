package lab_test

import (
	"fmt"

	"estab/internal/lab"
)

func Example() {
	s, _ := lab.Find("handshake")
	r, err := s.Play(lab.Defaults())
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, v := range r.Verdicts[:3] {
		fmt.Println(v.State == lab.Holds, v.Text.EN)
	}
	// Output:
	// true A goes through SYN-SENT to ESTABLISHED
	// true B goes through SYN-RECEIVED to ESTABLISHED
	// true three segments were enough
}
