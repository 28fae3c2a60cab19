package soak

import (
	"fmt"
	"io"
	"strings"
	"time"

	"estab/internal/trace"
)

// Write tells what was found, as tables. took is how long it took; command is
// the one that plays the worlds of a profile, for failures.
func (s *Summary) Write(w io.Writer, took time.Duration, command string) error {
	b := &strings.Builder{}
	rate := ""
	if took > 0 {
		rate = fmt.Sprintf(" in %s, %s connections a minute", trace.Duration(took), trace.Count(int(float64(s.Conns)/took.Minutes())))
	}
	fmt.Fprintf(b, "%s worlds (profile %s, seeds %d to %d) with %s connections%s.\n",
		trace.Count(s.Worlds), s.Profile, s.From, s.To, trace.Count(s.Conns), rate)
	fmt.Fprintf(b, "%s bytes arrived in %s segments, of which %s were sent again.\n\n",
		trace.Count(s.Bytes), trace.Count(s.Segments), trace.Count(s.Again))
	writeCounts(b, "How the connections ended", s.Endings, s.Conns)
	writeCounts(b, "Why ends ended with an error", s.Reasons, 0)
	writeCounts(b, "… and of these, where the other end had closed in order", s.Disagree, 0)
	fmt.Fprintf(b, "%-34s%9s%13s%14s%10s\n", "Worlds with", "worlds", "connections", "bytes", "again")
	for _, m := range s.Impairments {
		again := 0.0
		if m.Segments > 0 {
			again = 100 * float64(m.Again) / float64(m.Segments)
		}
		fmt.Fprintf(b, "  %-32s%9s%13s%14s%9.1f%%\n", m.Name, trace.Count(m.Worlds), trace.Count(m.Conns), trace.Count(m.Bytes), again)
	}
	b.WriteByte('\n')
	if len(s.Failures) == 0 {
		b.WriteString("Nothing found.\n")
	}
	for i := range s.Failures {
		s.Failures[i].write(b, s.Profile, command)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeCounts(b *strings.Builder, title string, list []Count, of int) {
	if len(list) == 0 {
		return
	}
	fmt.Fprintf(b, "%s\n", title)
	for _, c := range list {
		share := ""
		if of > 0 {
			share = fmt.Sprintf("%6.1f%%", 100*float64(c.N)/float64(of))
		}
		fmt.Fprintf(b, "%12s%s  %s\n", trace.Count(c.N), share, c.Name)
	}
	b.WriteByte('\n')
}

// ladderSegments is how many segments a failure shows.
const ladderSegments = 20

func (f *Failure) write(b *strings.Builder, profile, command string) {
	fmt.Fprintf(b, "FAILED: seed %d", f.Seed)
	if f.Conn >= 0 {
		fmt.Fprintf(b, ", connection %d", f.Conn+1)
	}
	fmt.Fprintf(b, ": %s\n", f.Again)
	if command != "" {
		fmt.Fprintf(b, "To play it again: %s --profile %s --seeds %d\n", command, profile, f.Seed)
	}
	fmt.Fprintf(b, "\nThe smallest world that still fails (%d were tried):\n", f.Tries)
	for line := range strings.Lines(f.Text) {
		fmt.Fprintf(b, "  %s", line)
	}
	if f.Conn < 0 {
		return
	}
	fmt.Fprintf(b, "\nIts last segments:\n")
	if err := f.Small.WriteLadder(b, f.options, f.Conn, ladderSegments); err != nil {
		fmt.Fprintf(b, "(%v)\n", err)
	}
	b.WriteByte('\n')
}
