package page

import (
	"math"
	"slices"
	"strings"
	"testing"

	"estab/internal/lab"
)

func mustRun(t *testing.T, s *Session, x *Experiment) *Result {
	t.Helper()
	r, err := s.Run(x)
	if err != nil {
		t.Fatalf("%s: %v", x.Link(), err)
	}
	return r
}

// TestUntouched: of every scenario everything is told, in its order, and what
// the page shows of its claims is what a plain run says.
func TestUntouched(t *testing.T) {
	for _, s := range append(lab.Scenarios(), lab.Sandbox()) {
		t.Run(s.Name, func(t *testing.T) {
			r := mustRun(t, &Session{}, &Experiment{Scenario: s.Name})
			if r.Touched || r.Diff != nil || r.Link != s.Name {
				t.Errorf("touched %v, diff %v, link %q", r.Touched, r.Diff, r.Link)
			}
			end := 0.0
			for _, w := range r.Worlds {
				end = max(end, w.End)
				checkWorld(t, w)
			}
			for _, c := range r.Claims {
				if c.State != "holds" || c.Since == nil || *c.Since < 0 || *c.Since > end {
					t.Errorf("%s: %s since %v, %v", c.Text.EN, c.State, c.Since, c.Reason)
				}
			}
			for i, w := range s.Worlds {
				if n := len(r.Worlds[i].Story); n != len(w.Story) {
					t.Errorf("world %d tells %d of %d sentences", i, n, len(w.Story))
				}
			}
		})
	}
}

func checkWorld(t *testing.T, w *World) {
	t.Helper()
	last := -1.0
	for i, k := range w.Packets {
		if k.Order < last || k.Order == last && !w.Quiet {
			t.Errorf("packet %d (%s) leaves before its predecessor: %v, %v", i, k.ID, k.Order, last)
		}
		last = k.Order
		if k.Order != math.Trunc(k.Order) && !w.Quiet {
			t.Errorf("no event tells that %s left", k.ID)
		}
		for c, o := range k.Orders {
			if o <= k.Order || k.Arrives[c] < k.Sent {
				t.Errorf("%s arrives before it leaves: %+v", k.ID, *k)
			}
		}
		if (k.Fate == "lost") != (len(k.Arrives) == 0) || k.ID[0] != "AB"[k.From] {
			t.Errorf("%+v", k)
		}
		both(t, k.ID, k.Say)
	}
	for host := range w.States {
		at := 0
		for _, s := range w.States[host] {
			both(t, "a state", s.Why)
			if s.Order < at {
				t.Errorf("%s to %s is out of order", s.From, s.To)
			}
			at = s.Order
			if (s.Conn < 0) != (s.To == "LISTEN" && s.From == "CLOSED" || s.From == "LISTEN" && s.To == "CLOSED") {
				t.Errorf("%s to %s at %v is of connection %d", s.From, s.To, s.At, s.Conn)
			}
			if s.Packet >= 0 {
				k := w.Packets[s.Packet]
				if k.From == host || !slices.Contains(k.Arrives, s.At) {
					t.Errorf("%s to %s at %v by %s, which it can't have been", s.From, s.To, s.At, k.Say.EN)
				}
			}
		}
	}
	for i, n := range w.Notes {
		both(t, "a note", n.Text)
		if i > 0 && n.Order < w.Notes[i-1].Order {
			t.Errorf("%s is out of order", n.Text.EN)
		}
	}
	for _, f := range w.Folds {
		if f.First < 0 || f.Last < f.First {
			t.Errorf("the fold %q is of no packets", f.Text.EN)
		}
	}
	if !w.Quiet || w.Watch != 0 {
		for host := range w.Holdings {
			checkHoldings(t, w, host)
		}
	}
}

// checkHoldings: what is held agrees with the states.
func checkHoldings(t *testing.T, w *World, host int) {
	t.Helper()
	for _, s := range w.States[host] {
		if s.To == "CLOSED" || s.To == "LISTEN" {
			continue
		}
		seen := false
		for _, h := range w.Holdings[host] {
			// A state that lasts for no time leaves nothing to be seen.
			seen = seen || h.Conn == s.Conn && h.At == s.At
		}
		if !seen {
			t.Errorf("host %d: nothing is told of what it held in %s at %v", host, s.To, s.At)
		}
	}
	for _, h := range w.Holdings[host] {
		if (h.Kind == "tcb") != (h.TCB != nil) || (h.Kind == "nothing" || h.Kind == "listen") != (h.Bytes == 0) {
			t.Errorf("%+v", h)
		}
	}
}

// both checks that a text is there in both languages. Names stay as they are.
func both(t *testing.T, what string, x lab.Text) {
	t.Helper()
	if x.EN == "" || x.ZH == "" || x.EN == x.ZH {
		t.Errorf("%s: not in both languages: %+v", what, x)
	}
}

// TestLost: a segment that is clicked away changes the run, and the difference
// says how.
func TestLost(t *testing.T) {
	r := mustRun(t, &Session{}, &Experiment{Scenario: "handshake", Faults: []string{"lose A:2"}})
	w, d := r.Worlds[0], r.Diff.Worlds[0]
	k := w.Packets[2]
	if k.ID != "A:2" || k.Fate != "lost" || k.Struck != "lose A:2" {
		t.Fatalf("%+v", k)
	}
	if len(d.Changed) != 1 || d.Changed[0].Packet != 2 || d.Changed[0].Was.Fate != "arrives" {
		t.Errorf("changed: %+v", d.Changed)
	}
	// B repeats its SYN,ACK, and A its acknowledgement.
	if len(d.Added) != 2 || len(d.Removed) != 0 || d.States != [2]bool{} {
		t.Errorf("added %v, removed %v, states %v", d.Added, d.Removed, d.States)
	}
	moot := 0
	for _, c := range r.Diff.Claims {
		if c.Was != "holds" || c.Is != "moot" {
			t.Errorf("%+v", c)
		}
		moot++
	}
	if moot == 0 || !strings.Contains(r.Diff.Summary.EN, "2 segments are new") {
		t.Errorf("%d moot, %s", moot, r.Diff.Summary.EN)
	}
}

// TestPast: in the sandbox, what is added to a script at some time changes
// nothing that was before.
func TestPast(t *testing.T) {
	script := "0 B listen\n1s A connect\n2s A send \"hello\"\n"
	s := &Session{}
	before := mustRun(t, s, &Experiment{Scenario: "sandbox", Scripts: []string{script}}).Worlds[0]
	after := mustRun(t, s, &Experiment{Scenario: "sandbox", Scripts: []string{script + "3.2s B send \"hi\"\n4s A close\n5s B close\n"}}).Worlds[0]
	n := len(before.Packets)
	if n < 5 || len(after.Packets) <= n {
		t.Fatalf("%d packets, then %d", n, len(after.Packets))
	}
	for i, k := range before.Packets {
		if o := after.Packets[i]; o.Say != k.Say || o.AbsSeq != k.AbsSeq || o.Order != k.Order {
			t.Errorf("packet %d was %+v, is %+v", i, k, o)
		}
	}
}

// TestSince: claims tick when they become true.
func TestSince(t *testing.T) {
	r := mustRun(t, &Session{}, &Experiment{Scenario: "four-way-close"})
	w := r.Worlds[0]
	for _, c := range r.Claims {
		switch c.Text.EN {
		case "TIME-WAIT lasted exactly 240 s", "in the end nothing is left at either side":
			if *c.Since != w.End {
				t.Errorf("%s: since %v, the end is at %v", c.Text.EN, *c.Since, w.End)
			}
		case "B: CLOSE-WAIT, LAST-ACK, CLOSED":
			last := w.States[1][len(w.States[1])-1]
			if *c.Since != last.At {
				t.Errorf("%s: since %v, B is CLOSED at %v", c.Text.EN, *c.Since, last.At)
			}
		}
	}
}

// TestBad: bad input is told in both languages, with its place.
func TestBad(t *testing.T) {
	for _, x := range []struct {
		e           Experiment
		en          string
		world, line int
	}{
		{Experiment{Scenario: "handshke"}, "did you mean handshake?", -1, 0},
		{Experiment{Scenario: "handshake", Set: map[string]string{"mls": "1s"}}, "unknown parameter", -1, 0},
		{Experiment{Scenario: "handshake", Set: map[string]string{"msl": "1h"}}, "want a time from 1ms to 10m0s", -1, 0},
		{Experiment{Scenario: "handshake", Set: map[string]string{"cookies": "no"}}, "want on or off", -1, 0},
		{Experiment{Scenario: "handshake", Set: map[string]string{"path": "lots 5%"}}, "path lots 5%", -1, 0},
		{Experiment{Scenario: "handshake", Faults: []string{"lose C:1"}}, "want lose, delay or double", -1, 0},
		{Experiment{Scenario: "nagle", Scripts: []string{"", "0 B listen\n1s A snd 5\n"}}, `what is "snd"?`, 1, 2},
		{Experiment{Scenario: "sandbox", Scripts: []string{"\n# nothing\n1x A close\n"}}, "time \"1x\"", 0, 3},
	} {
		_, err := (&Session{}).Run(&x.e)
		if err == nil {
			t.Errorf("%+v: no error", x.e)
			continue
		}
		f := Fail(err)
		both(t, x.en, f.Problem)
		if !strings.Contains(f.Problem.EN, x.en) {
			t.Errorf("%+v: %s", x.e, f.Problem.EN)
		}
		if (x.world >= 0) != (f.Where != nil) || f.Where != nil && (f.Where.World != x.world || f.Where.Line != x.line) {
			t.Errorf("%+v: where %+v", x.e, f.Where)
		}
	}
}

// TestCatalog: everything has a name in both languages.
func TestCatalog(t *testing.T) {
	c := NewCatalog()
	for _, s := range append(c.Sections, Section{Title: lab.SectionTitle(8), Scenarios: []Scenario{c.Sandbox}}) {
		both(t, "a section", s.Title)
		for _, x := range s.Scenarios {
			both(t, x.Name, x.Title)
			both(t, x.Name, x.Intro)
			for _, p := range x.Params {
				if _, ok := lab.FindSpec(p); !ok {
					t.Errorf("%s: there is no parameter %s", x.Name, p)
				}
			}
		}
	}
	for _, p := range c.Params {
		both(t, p.Name, p.Help)
		if !slices.ContainsFunc(c.Groups, func(g ParamGroup) bool { return g.Name == p.Group }) {
			t.Errorf("%s: there is no group %s", p.Name, p.Group)
		}
	}
	for _, a := range c.Arrows {
		if !a.Rare {
			both(t, a.From+" to "+a.To, a.Event)
		}
	}
	for _, w := range c.Words {
		both(t, w.Form, w.Help)
		if _, _, err := lab.ParseScript(w.Form); err != nil {
			t.Errorf("%s: %v", w.Form, err)
		}
	}
}

// TestExport: every kind of file can be made, of the run as it was changed, and
// what can't be is told in both languages.
func TestExport(t *testing.T) {
	s := &Session{}
	x := &Experiment{Scenario: "nagle", Faults: []string{"lose A:2"}, Lang: "zh"}
	for kind, want := range map[string]string{"pcapng": "lost on the way", "svg": "<svg ", "text": "没有 Nagle", "json": `"lose A:2"`,
		"script-a": "as A saw it (with Nagle)", "script-b": "as B saw it (with Nagle)", "script-a2": "as A saw it (without)"} {
		f, err := s.Export(kind, x)
		if err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if !strings.Contains(string(f.Data), want) || f.Type == "" || !strings.HasPrefix(f.Name, "nagle") {
			t.Errorf("%s: %s, %s: %q is not in it", kind, f.Name, f.Type, want)
		}
	}
	for _, x := range []struct{ kind, scenario string }{{"script-a3", "nagle"}, {"docx", "nagle"}, {"script-a", "path-mtu"}, {"script-b", "flood-small"}} {
		_, err := s.Export(x.kind, &Experiment{Scenario: x.scenario})
		if err == nil {
			t.Errorf("%+v: no error", x)
			continue
		}
		both(t, x.kind, lab.TextOf(err))
	}
}

// TestDoubled: of a doubled segment both arrivals are told, and what became of
// each.
func TestDoubled(t *testing.T) {
	r := mustRun(t, &Session{}, &Experiment{Scenario: "four-way-close", Faults: []string{"double A:3 50ms"}})
	for _, k := range r.Worlds[0].Packets {
		if k.ID != "A:3" {
			continue
		}
		if k.Fate != "doubled" || len(k.Arrives) != 2 || k.Dropped != nil || k.Twin == nil {
			t.Errorf("%+v", k)
		}
		if want := "It comes again at 0.16 s; outside the receive window."; !strings.Contains(k.Say.EN, want) {
			t.Errorf("%s: want %s", k.Say.EN, want)
		}
	}
}

// TestOtherWay: A can listen, and B connect.
func TestOtherWay(t *testing.T) {
	r := mustRun(t, &Session{}, &Experiment{Scenario: "sandbox",
		Scripts: []string{"0 A listen\n1s B connect\n2s B send \"hello\"\n3s A send \"hi\"\n4s A close\n5s B close\n"}})
	w := r.Worlds[0]
	for host, want := range []string{"SYN-RECEIVED ESTABLISHED FIN-WAIT-1 FIN-WAIT-2 TIME-WAIT CLOSED", "SYN-SENT ESTABLISHED CLOSE-WAIT LAST-ACK CLOSED"} {
		if got := strings.Join(names(w, host), " "); got != want {
			t.Errorf("host %d: %s", host, got)
		}
	}
	if w.Hosts[0].State != "LISTEN" || len(w.Conns) != 1 {
		t.Errorf("%+v, %+v", w.Hosts, w.Conns)
	}
}

// TestCopies: of copies that arrive at the same instant each is told what became
// of it, and which of them was damaged.
func TestCopies(t *testing.T) {
	r := mustRun(t, &Session{}, &Experiment{Scenario: "sandbox", Set: map[string]string{"path": "corrupt 30% duplicate 30% loss 10%"},
		Scripts: []string{"0 B listen\n10ms A connect\n2s A send 6000\n9s A close\n"}})
	w := r.Worlds[0]
	damaged := 0
	for _, k := range w.Packets {
		for c, why := range []*lab.Text{k.Dropped, k.Twin} {
			if why != nil && why.EN == "damaged: bad checksum" {
				damaged++
				if k.Orders[c] == math.Trunc(k.Orders[c]) {
					t.Errorf("%s: an event tells of a damaged copy", k.ID)
				}
			}
		}
		if k.Fate == "damaged" && (k.Dropped == nil || k.Dropped.EN != "damaged: bad checksum") {
			t.Errorf("%+v", *k)
		}
	}
	if k := w.Packets[0]; k.ID != "A:1" || k.Fate != "doubled" || k.Dropped != nil || k.Twin == nil {
		t.Errorf("the SYN that was taken: %+v", *k)
	}
	if damaged == 0 {
		t.Error("nothing was damaged")
	}
	for host := range w.States {
		for _, s := range w.States[host] {
			if s.Packet < 0 {
				continue
			}
			k := w.Packets[s.Packet]
			if k.Dropped != nil && (len(k.Arrives) == 1 || k.Twin != nil) {
				t.Errorf("%s to %s by %s, of which every copy was thrown away: %s", s.From, s.To, k.ID, k.Say.EN)
			}
		}
	}
}
