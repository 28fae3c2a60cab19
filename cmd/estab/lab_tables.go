package main

import (
	"fmt"
	"strconv"
	"strings"

	"estab/internal/lab"
	"estab/internal/trace"
	"estab/tcp"
)

// grid writes rows whose columns line up; the first is at the left, the others
// at the right.
func (o *labOptions) grid(rows [][]string) {
	var wide []int
	for _, r := range rows {
		for i, c := range r {
			if i == len(wide) {
				wide = append(wide, 0)
			}
			wide[i] = max(wide[i], trace.Columns(c))
		}
	}
	for _, r := range rows {
		line := ""
		for i, c := range r {
			gap := strings.Repeat(" ", wide[i]-trace.Columns(c))
			if i == 0 {
				line += c + gap
			} else {
				line += "  " + gap + c
			}
		}
		fmt.Fprintln(o.out, strings.TrimRight(line, " "))
	}
}

// table writes the figures of a scenario.
func (o *labOptions) table(t *lab.Table) {
	lang := lab.Lang(o.lang)
	fmt.Fprintf(o.out, "\n%s\n", o.paint("1", t.Title.In(lang)))
	var rows [][]string
	for _, r := range append([][]lab.Text{t.Heads}, t.Rows...) {
		var cells []string
		for _, c := range r {
			cells = append(cells, c.In(lang))
		}
		rows = append(rows, cells)
	}
	o.grid(rows)
	if s := t.Below.In(lang); s != "" {
		o.para(s)
	}
}

// memory writes who holds what, step by step.
func (o *labOptions) memory(p *lab.Play) {
	fmt.Fprintln(o.out)
	o.para(o.say("Bytes allocated at each step: classically (TCB and two buffers of 64 KiB; “late” is an A that allocates at the third step), and in estab.",
		"每一步已分配的字节数：传统实现（TCB 加两个 64 KiB 的缓存；“迟”指 A 到第三步才分配）与 estab 对照。"))
	rows := [][]string{{o.say("s", "秒"), "A", "B", o.say("A classic", "A 传统"), o.say("late", "迟"), o.say("B classic", "B 传统"), "A estab", "B estab"}}
	for _, x := range p.Shots {
		a, b := &x.Sides[lab.A], &x.Sides[lab.B]
		rows = append(rows, []string{strconv.FormatFloat(x.At.Seconds(), 'f', 3, 64), a.State.String(), b.State.String(),
			trace.Count(a.Classic), trace.Count(a.Late), trace.Count(b.Classic), trace.Count(a.Estab), trace.Count(b.Estab)})
	}
	o.grid(rows)
}

// tcbs writes the TCBs, step by step.
func (o *labOptions) tcbs(p *lab.Play) {
	for _, x := range p.Shots {
		fmt.Fprintf(o.out, "\n%.3f s\n", x.At.Seconds())
		for i := range x.Sides {
			h := &x.Sides[i]
			o.hang(fmt.Sprintf("  %c %-12s ", 'A'+i, h.State), tcbText(&h.Status, h.Held))
		}
	}
}

// tcbText is a TCB in the words of RFC 9293 §3.3.1.
func tcbText(s *tcp.Status, held bool) string {
	if !held {
		return "–"
	}
	if s.SMSS == 0 {
		return fmt.Sprintf("%v (record)", s.Tuple)
	}
	return fmt.Sprintf("%v ISS=%d SND.UNA=ISS+%d SND.NXT=ISS+%d SND.WND=%d IRS=%d RCV.NXT=IRS+%d RCV.WND=%d "+
		"send-buffer=%d/%d receive-buffer=%d/%d in-flight=%d cwnd=%d RTO=%v",
		s.Tuple, s.ISS, s.SndUNA-s.ISS, s.SndNXT-s.ISS, s.SndWND, s.IRS, uint32(s.RcvNXT-s.IRS)*b2u(s.IRS != 0), s.RcvWND,
		s.SendQueue, s.SendBuffer, s.ReceiveQueue, s.ReceiveBuffer, s.InFlight, s.Cwnd, s.RTO)
}

func b2u(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
