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
	d.Summary = d.summary()
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
		if a, b := old[i], now[j]; a.Fate != b.Fate || a.Sent != b.Sent || !slices.Equal(a.Arrives, b.Arrives) {
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
func (d *Diff) summary() lab.Text {
	var added, removed, changed int
	var hosts []string
	for _, w := range d.Worlds {
		added, removed, changed = added+len(w.Added), removed+len(w.Removed), changed+len(w.Changed)
		for host, yes := range w.States {
			if name := string(rune('A' + host)); yes && !slices.Contains(hosts, name) {
				hosts = append(hosts, name)
			}
		}
	}
	var en, zh []string
	say := func(n int, e, z string) {
		if n > 0 {
			en, zh = append(en, fmt.Sprintf(e, n)), append(zh, fmt.Sprintf(z, n))
		}
	}
	say(added, "%d segments are new", "新出现 %d 个报文段")
	say(removed, "%d are gone", "消失 %d 个")
	say(changed, "%d have another fate or another time", "%d 个的结局或时刻变了")
	slices.Sort(hosts)
	if len(hosts) > 0 {
		en, zh = append(en, "the states of "+strings.Join(hosts, " and ")+" are others"), append(zh, strings.Join(hosts, " 和 ")+" 的状态变化不同了")
	}
	lost := 0
	for _, c := range d.Claims {
		if c.Was == "holds" {
			lost++
		}
	}
	say(lost, "%d claims no longer hold", "%d 条断言不再成立")
	if en == nil {
		return lab.Text{EN: "Nothing has changed.", ZH: "没有变化。"}
	}
	return lab.Text{EN: "Compared with the untouched run: " + strings.Join(en, "; ") + ".", ZH: "与原来的运行相比：" + strings.Join(zh, "；") + "。"}
}
