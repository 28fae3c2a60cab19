package link_test

import (
	"fmt"

	"estab/link"
)

// printer is a receiver that takes packets in at once. A host would only queue
// them, and add itself to w.
type printer string

func (name printer) Deliver(_ *link.Work, pkts []*link.Packet) {
	for _, p := range pkts {
		fmt.Printf("%s got %q\n", name, p.Bytes())
		p.Resize(0) // left in its place: the sender has its buffer back
	}
}

func (name printer) Writable(*link.Work) {}

func Example() {
	a, b := link.Pair(link.PairOptions{MTU: 9000})
	damaged, err := link.Impair(a, link.Impairment{
		Out:  "corrupt 100%",
		Seed: 6,
		Observe: func(e link.TapEvent) {
			if e.Dir == link.Out {
				fmt.Printf("a sends %q: %v\n", e.Packet, e.Fate)
			}
		},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	damaged.Attach(printer("a"))
	b.Attach(printer("b"))

	var w link.Work
	send := func(from link.Link, text string) {
		p := link.NewPacket(len(text))
		p.Append([]byte(text))
		from.Enqueue(&w, []*link.Packet{p})
		w.Run()
	}
	send(damaged, "ping")
	send(b, "pong")
	// Output:
	// a sends "ping": bit 1 flipped
	// b got "ring"
	// a got "pong"
}
