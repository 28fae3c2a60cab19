package soak

import (
	"cmp"
	"slices"

	"estab/internal/netem"
	"estab/tcp"
)

// Count is how often something was seen.
type Count struct {
	Name string `json:"name"`
	N    int    `json:"count"`
}

// Impairment sums up the worlds in which something was not as it should be.
type Impairment struct {
	Name     string `json:"name"`
	Worlds   int    `json:"worlds"`
	Conns    int    `json:"connections"`
	Bytes    int    `json:"bytes"`    // that arrived
	Segments int    `json:"segments"` // that were sent
	Again    int    `json:"again"`    // of them, again
}

// tally is what is counted over worlds.
type tally struct {
	worlds, conns, bytes, segments, again int
	endings, reasons, disagree            []Count
	impairments                           []Impairment
}

func count(list *[]Count, name string, n int) {
	for i := range *list {
		if (*list)[i].Name == name {
			(*list)[i].N += n
			return
		}
	}
	*list = append(*list, Count{name, n})
}

// add takes in another tally.
func (t *tally) add(u *tally) {
	t.worlds += u.worlds
	t.conns += u.conns
	t.bytes += u.bytes
	t.segments += u.segments
	t.again += u.again
	for _, c := range u.endings {
		count(&t.endings, c.Name, c.N)
	}
	for _, c := range u.reasons {
		count(&t.reasons, c.Name, c.N)
	}
	for _, c := range u.disagree {
		count(&t.disagree, c.Name, c.N)
	}
	for _, m := range u.impairments {
		x := t.impairment(m.Name)
		x.Worlds += m.Worlds
		x.Conns += m.Conns
		x.Bytes += m.Bytes
		x.Segments += m.Segments
		x.Again += m.Again
	}
}

func (t *tally) impairment(name string) *Impairment {
	for i := range t.impairments {
		if t.impairments[i].Name == name {
			return &t.impairments[i]
		}
	}
	t.impairments = append(t.impairments, Impairment{Name: name})
	return &t.impairments[len(t.impairments)-1]
}

// sorted puts the most frequent first.
func sorted(list []Count) []Count {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// count takes in a world that was played and judged.
func (t *tally) count(r *run) {
	bytes, again := 0, 0
	for i := range r.talks {
		x := &r.talks[i]
		count(&t.endings, x.ending(), 1)
		for e := range x.ends {
			me, peer := &x.ends[e], &x.ends[1-e]
			if me.talker == nil {
				continue
			}
			bytes += me.talker.Received
			if me.fate.err == 0 {
				continue
			}
			why := me.fate.err.Error() + ": " + me.why(peer, r, e)
			count(&t.reasons, why, 1)
			if peer.fate.clean() {
				count(&t.disagree, why, 1)
			}
		}
	}
	for _, h := range r.hosts {
		again += int(h.TCP().Counters().Retransmits)
	}
	t.worlds++
	t.conns += len(r.talks)
	t.bytes += bytes
	t.segments += r.sent
	t.again += again
	for _, name := range r.spec.impairments() {
		m := t.impairment(name)
		m.Worlds++
		m.Conns += len(r.talks)
		m.Bytes += bytes
		m.Segments += r.sent
		m.Again += again
	}
}

// ending is how a connection ended, in words.
func (t *talk) ending() string {
	a, b := &t.ends[Client], &t.ends[Server]
	switch {
	case t.err == tcp.ErrInUse:
		return "not opened: the pair is in use, or in TIME-WAIT"
	case a.talker == nil:
		return "not opened: the client was down"
	case a.talker.Lost() || b.talker != nil && b.talker.Lost():
		return "a host crashed"
	case a.fate.clean() && b.fate.clean():
		return "closed in order at both ends"
	case a.fate.clean() || b.fate.clean():
		return "closed in order at one end, an error at the other"
	case !a.fate.synced:
		return "not established: " + a.fate.err.Error()
	case a.talker.Aborted || b.talker != nil && b.talker.Aborted:
		return "aborted by a program"
	case a.fate.err == tcp.ErrAborted || b.fate.err == tcp.ErrAborted:
		return "aborted: text was left unread, or the time to linger was over"
	case a.fate.err == tcp.ErrTimeout || b.fate.err == tcp.ErrTimeout:
		return "timed out"
	}
	return "reset"
}

// impairments names what is wrong in the world.
func (s *Spec) impairments() []string {
	var names []string
	add := func(on bool, name string) {
		if on {
			names = append(names, name)
		}
	}
	path := func(f func(m *netem.Model) bool) bool { return f(&s.Path[0]) || f(&s.Path[1]) }
	add(path(func(m *netem.Model) bool { return m.Loss.Kind != netem.NoLoss }), "loss")
	add(path(func(m *netem.Model) bool { return m.Delay.Jitter > 0 }), "jitter")
	add(path(func(m *netem.Model) bool { return m.Reorder.P > 0 }), "reordering")
	add(path(func(m *netem.Model) bool { return m.Duplicate.P > 0 }), "duplication")
	add(path(func(m *netem.Model) bool { return m.Corrupt.P > 0 }), "corruption")
	add(path(func(m *netem.Model) bool { return m.Rate.Bits > 0 }), "slow link, short queue")
	add(s.Silent || path(func(m *netem.Model) bool { return m.MTU > 0 }), "black hole for large packets")
	add(s.Hop > 0 && !s.Silent, "router with a narrow hop")
	for k := range numFaults {
		add(s.faulty(k), k.String())
	}
	add(s.Conns[0].ReceiveBuffer+s.Conns[1].ReceiveBuffer > 0, "tiny window")
	rude, stall := false, false
	for i := range s.Talks {
		for e := range s.Talks[i].Plans {
			p := &s.Talks[i].Plans[e]
			rude = rude || !p.Orderly() || p.Linger > 0
			stall = stall || p.Stall > 0
		}
	}
	add(rude, "program that aborts or gives up")
	add(stall, "program that stalls")
	add(names == nil, "nothing")
	return names
}
