package lab

import (
	"fmt"
	"io"
	"time"

	"estab/internal/trace"
)

// WriteCapture writes what crossed the path as pcapng. Each world is an
// interface; what was lost is there with a comment that says so, and the story
// stands as a comment at the first packet from its moment on.
func (r *Run) WriteCapture(w io.Writer) error {
	var ifs []trace.Interface
	for i, p := range r.Plays {
		ifs = append(ifs, trace.Interface{Name: fmt.Sprintf("world%d", i+1), Description: p.Name.EN})
	}
	c, err := trace.NewPcapng(w, "estab lab "+r.Scenario.Name, ifs...)
	if err != nil {
		return err
	}
	for i, p := range r.Plays {
		story := p.Story
		for _, k := range p.Packets {
			var comments []string
			for ; len(story) > 0 && story[0].At <= k.Time; story = story[1:] {
				comments = append(comments, story[0].Text.EN)
			}
			switch {
			case k.Copies == 0:
				comments = append(comments, "lost on the way")
			case k.Arrive[0].Sub(k.Time) > time.Second:
				comments = append(comments, fmt.Sprintf("arrives %v later", k.Arrive[0].Sub(k.Time)))
			}
			d := trace.Outbound
			if k.From == trace.Right {
				d = trace.Inbound
			}
			if err := c.Packet(i, time.Unix(0, int64(k.Time)), d, k.Data, comments...); err != nil {
				return err
			}
		}
	}
	return nil
}
