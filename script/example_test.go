package script_test

import (
	"fmt"

	"estab/script"
)

// A script is parsed, looked at, and printed in its canonical form.
func ExampleParse() {
	const src = `
// The peer closes first.
0 accept(3, ..., ...) = 4
+.1 < .F 1:1(0)  ack 1 win 257 // its FIN
+0 > . 1:1(0) ack 2
+0 %{ assert tcpi_state == TCP_CLOSE_WAIT }%
`
	s, err := script.Parse("close.pkt", []byte(src), script.ParseOptions{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, e := range s.Events() {
		switch a := e.Action.(type) {
		case *script.Call:
			fmt.Printf("%v: call %s with %d arguments\n", e.Pos, a.Name, len(a.Args))
		case *script.Segment:
			fmt.Printf("%v: segment %s %d bytes\n", e.Pos, a.Flags, a.Seq.Len)
		case *script.Code:
			p, err := s.ParseCode(a)
			if err != nil {
				fmt.Println(err)
				return
			}
			fmt.Println(p.Run(script.Env{Lookup: func(string) (script.Value, bool) {
				return script.IntValue(8), true
			}}))
		}
	}
	fmt.Printf("%s", script.Print(s))
	// Output:
	// 3:1: call accept with 3 arguments
	// 4:1: segment F. 0 bytes
	// 5:1: segment . 0 bytes
	// <nil>
	// // The peer closes first.
	//     0 accept(3, ..., ...) = 4
	//   +.1 < F. 1:1(0) ack 1 win 257  // its FIN
	//    +0 > . 1:1(0) ack 2
	//    +0 %{ assert tcpi_state == TCP_CLOSE_WAIT }%
}

// Errors are like a compiler's.
func ExampleParse_error() {
	_, err := script.Parse("syn.pkt", []byte("+0 < S 0:0(0) win 1000 <mss>\n"), script.ParseOptions{})
	fmt.Println(err)
	// Output:
	// syn.pkt:1:28: expected a segment size after mss, found ">"
	// +0 < S 0:0(0) win 1000 <mss>
	//                            ^
}

// A script is played in virtual time: the minute of TIME-WAIT costs nothing.
func ExampleRunSource() {
	const src = `
// The end that closes first waits for 2 MSL. RFC 9293 §3.10.8.
    0 socket(..., SOCK_STREAM, IPPROTO_TCP) = 3
   +0...0.1 connect(3, ..., ...) = 0
   +0 > S 0:0(0) <...>
  +.1 < S. 0:0(0) ack 1 win 1000 <mss 1000>
   +0 > . 1:1(0) ack 1
   +0 close(3) = 0
   +0 > F. 1:1(0) ack 1
  +.1 < F. 1:1(0) ack 2 win 1000
   +0 > . 2:2(0) ack 2
  +59 %{ assert tcpi_state == TCP_TIME_WAIT }%
   +1 %{ assert tcpi_state == TCP_CLOSE }%
`
	reports, err := script.RunSource("wait.pkt", []byte(src), script.Options{
		Families: []script.Family{script.IPv4, script.IPv6},
	})
	if err != nil {
		fmt.Println(err)
	}
	for _, r := range reports {
		fmt.Println(r.Verdict, r.Family, r.Virtual)
	}
	// Output:
	// passed ipv4 1m0.2s
	// passed ipv6 1m0.2s
}
