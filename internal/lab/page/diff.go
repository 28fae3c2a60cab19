package page

import (
	"fmt"
	"slices"
	"strings"

	"estab/internal/lab"
)

// diff is how a run differs from the untouched one.
func diff(was, is *Result) *Diff {
	d := &Diff{Worlds: []WorldDiff{}, Claims: []ClaimChange{}}
	for i, w := range is.Worlds {
		d.Worlds = append(d.Worlds, worldDiff(was.Worlds[i], w))
	}
	for i := range is.Claims {
		if a, b := was.Claims[i].State, is.Claims[i].State; a != b {
			d.Claims = append(d.Claims, ClaimChange{i, a, b})
		}
	}
	d.Summary = d.summary(was, is)
	return d
}

func worldDiff(was, is *World) WorldDiff {
	d := WorldDiff{Added: []int{}, Changed: []Change{}, Removed: []*Packet{}, End: was.End}
	for host := range d.States {
		d.Was[host] = names(was, host)
		d.States[host] = !slices.Equal(d.Was[host], names(is, host))
	}
	old, now := was.Packets, is.Packets
	i, j := 0, 0
	for _, m := range common(old, now) {
		for ; i < m[0]; i++ {
			d.Removed = append(d.Removed, old[i])
		}
		for ; j < m[1]; j++ {
			d.Added = append(d.Added, j)
		}
		if a, b := old[i], now[j]; a.Fate != b.Fate || a.Sent != b.Sent || !slices.Equal(a.Arrives, b.Arrives) || a.Win != b.Win || !slices.Equal(a.Options, b.Options) {
			d.Changed = append(d.Changed, Change{j, a})
		}
		i, j = i+1, j+1
	}
	for ; i < len(old); i++ {
		d.Removed = append(d.Removed, old[i])
	}
	for ; j < len(now); j++ {
		d.Added = append(d.Added, j)
	}
	return d
}

// names are the states that a host went through, in order.
func names(w *World, host int) []string {
	s := []string{}
	for _, x := range w.States[host] {
		s = append(s, x.To)
	}
	return s
}

// sameSegment reports whether two packets say the same.
func sameSegment(a, b *Packet) bool {
	return a.From == b.From && a.Flags == b.Flags && a.Seq == b.Seq && a.Ack == b.Ack && a.Len == b.Len && a.Life == b.Life
}

// common pairs packets of two runs that say the same: a longest common
// subsequence. What both begin and end with is paired first; if what lies
// between is too long for a table of maxCommon cells, it stays unpaired.
func common(a, b []*Packet) (pairs [][2]int) {
	lead := 0
	for lead < min(len(a), len(b)) && sameSegment(a[lead], b[lead]) {
		pairs = append(pairs, [2]int{lead, lead})
		lead++
	}
	tail := 0
	for tail < min(len(a), len(b))-lead && sameSegment(a[len(a)-1-tail], b[len(b)-1-tail]) {
		tail++
	}
	n, m := len(a)-lead-tail, len(b)-lead-tail
	if n > 0 && m > 0 && n*m <= maxCommon {
		best := make([]uint16, (n+1)*(m+1))
		for i := n - 1; i >= 0; i-- {
			for j := m - 1; j >= 0; j-- {
				x := max(best[(i+1)*(m+1)+j], best[i*(m+1)+j+1])
				if sameSegment(a[lead+i], b[lead+j]) {
					x = max(x, 1+best[(i+1)*(m+1)+j+1])
				}
				best[i*(m+1)+j] = x
			}
		}
		for i, j := 0, 0; i < n && j < m; {
			switch {
			case sameSegment(a[lead+i], b[lead+j]):
				pairs = append(pairs, [2]int{lead + i, lead + j})
				i, j = i+1, j+1
			case best[(i+1)*(m+1)+j] >= best[i*(m+1)+j+1]:
				i++
			default:
				j++
			}
		}
	}
	for k := tail; k > 0; k-- {
		pairs = append(pairs, [2]int{len(a) - k, len(b) - k})
	}
	return pairs
}

// maxCommon bounds the table: 4 million cells of 2 bytes.
const maxCommon = 4 << 20

// summary is the difference in a sentence.
func (d *Diff) summary(was, is *Result) lab.Text {
	var added, removed, fates, times, sizes int
	var say sentences
	for i, w := range d.Worlds {
		added, removed = added+len(w.Added), removed+len(w.Removed)
		for _, c := range w.Changed {
			switch a, b := c.Was, is.Worlds[i].Packets[c.Packet]; {
			case a.Fate != b.Fate:
				fates++
			case a.Sent != b.Sent || !slices.Equal(a.Arrives, b.Arrives):
				times++
			default:
				sizes++
			}
		}
	}
	say.count(added, "1 segment is new", "%d segments are new", "新出现 %d 个报文段")
	say.count(removed, "1 segment is gone", "%d segments are gone", "消失 %d 个报文段")
	say.count(fates, "1 segment has another fate", "%d segments have another fate", "%d 个报文段结局不同")
	say.count(times, "1 segment comes at another time", "%d segments come at other times", "%d 个报文段时刻不同")
	say.count(sizes, "1 segment has another window or other options", "%d segments have another window or other options", "%d 个报文段窗口或选项不同")
	for i, w := range d.Worlds {
		for host := range w.States {
			say.states(was.Worlds[i], is.Worlds[i], host, w.States[host])
		}
	}
	lost := 0
	for _, c := range d.Claims {
		if c.Was == "holds" {
			lost++
		}
	}
	say.count(lost, "1 claim no longer holds", "%d claims no longer hold", "%d 条断言不再成立")
	if say.en == nil && was.Values["seed"] != is.Values["seed"] {
		say.add("only the initial sequence numbers are others", "只有初始序号不同")
	}
	if say.en == nil {
		return lab.Text{EN: "Nothing has changed.", ZH: "没有变化。"}
	}
	return lab.Text{EN: "Compared with the untouched run: " + strings.Join(say.en, "; ") + ".", ZH: "与原来的运行相比：" + strings.Join(say.zh, "；") + "。"}
}

// sentences are parts of a sentence in both languages.
type sentences struct{ en, zh []string }

// add adds what was not said before.
func (s *sentences) add(en, zh string) {
	if !slices.Contains(s.en, en) {
		s.en, s.zh = append(s.en, en), append(s.zh, zh)
	}
}

func (s *sentences) count(n int, one, many, zh string) {
	switch n {
	case 0:
	case 1:
		s.add(one, fmt.Sprintf(zh, n))
	default:
		s.add(fmt.Sprintf(many, n), fmt.Sprintf(zh, n))
	}
}

// states says how the states of a host differ: its way, or when it ended it.
func (s *sentences) states(was, is *World, host int, other bool) {
	name := string(rune('A' + host))
	if other {
		s.add("the states of "+name+" are others", name+" 的状态变化不同")
		return
	}
	n := len(is.States[host])
	if n == 0 {
		return
	}
	a, b := was.States[host][n-1], is.States[host][n-1]
	switch d := b.At - a.At; {
	case d > 1e-9:
		s.add(fmt.Sprintf("%s is in %s %s later", name, b.To, took(d)), fmt.Sprintf("%s 晚 %s 进入 %s", name, took(d), b.To))
	case d < -1e-9:
		s.add(fmt.Sprintf("%s is in %s %s earlier", name, b.To, took(-d)), fmt.Sprintf("%s 提前 %s 进入 %s", name, took(-d), b.To))
	}
}
