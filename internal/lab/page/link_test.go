package page

import (
	"reflect"
	"strings"
	"testing"

	"estab/internal/lab"
)

// TestLinks: a link says the whole experiment, and is always the same.
func TestLinks(t *testing.T) {
	for _, x := range []struct {
		e    Experiment
		link string
	}{
		{Experiment{Scenario: "handshake"}, "handshake"},
		{Experiment{Scenario: "stale-syn", Set: map[string]string{"msl": "1s"}, Faults: []string{"lose A:2"}}, "stale-syn?msl=1s&lose=A:2"},
		{Experiment{Scenario: "handshake", Faults: []string{"double B:1", "delay A:1 5s", "lose A:3-"}, Lang: "zh", At: "2.5s"},
			"handshake?twice=B:1&late=A:1+5s&lose=A:3-&lang=zh&at=2.5s"},
		{Experiment{Scenario: "nagle", Scripts: []string{"", "0 B listen\n1s A send \"50% & more = #1\"\n"}},
			"nagle?script2=0+B+listen%0A1s+A+send+%2250%25+%26+more+%3D+%231%22%0A"},
		{Experiment{Scenario: "sandbox", Set: map[string]string{"path": "loss 5% rate 4mbit", "two-way": "on", "delay": "0s"}, Scripts: []string{"0 B listen # 你好\n"}},
			"sandbox?delay=0s&path=loss+5%25+rate+4mbit&two-way=on&script=0+B+listen+%23+%E4%BD%A0%E5%A5%BD%0A"},
	} {
		if got := x.e.Link(); got != x.link {
			t.Errorf("link %s, want %s", got, x.link)
		}
		for _, link := range []string{x.link, "#" + x.link} {
			e, err := ParseLink(link)
			if err != nil || !reflect.DeepEqual(*e, x.e) {
				t.Errorf("%s: %+v, %v", link, e, err)
			}
		}
	}
}

// TestBrokenLinks: what makes no sense is told, and what remains can be played.
func TestBrokenLinks(t *testing.T) {
	first := lab.Scenarios()[0].Name
	for _, x := range []struct{ link, scenario, says string }{
		{"", first, ""},
		{"#", first, ""},
		{"handshke", first, "did you mean handshake?"},
		{"sack?msl=1h", "sack", "want a time"},
		{"sack?mls=1s", "sack", "unknown parameter"},
		{"sack?msl=%zz", "sack", "makes no sense"},
		{"sack?lose=C:1", "sack", "want lose"},
		{"sack?late=A:1", "sack", "want lose"},
		{"sack?script=nonsense", "sack", "time"},
		{"sack?script9=0+B+listen", "sack", "makes no sense"},
		{"sack?lang=fr", "sack", "makes no sense"},
		{"sack?&&msl", "sack", ""},
		{"sack?msl=1s&lose=%", "sack", "makes no sense"},
	} {
		e, err := ParseLink(x.link)
		if e == nil || e.Scenario != x.scenario {
			t.Errorf("%s: %+v", x.link, e)
			continue
		}
		if (err == nil) != (x.says == "") || err != nil && !strings.Contains(err.Error(), x.says) {
			t.Errorf("%s: %v", x.link, err)
		}
		if _, _, err := e.read(); err != nil {
			t.Errorf("%s: what remains can't be played: %v", x.link, err)
		}
	}
}

func FuzzLink(f *testing.F) {
	for _, s := range []string{"stale-syn?msl=1s&lose=A:2", "sandbox?script=0+B+listen%0A&path=loss+5%25", "nagle?late=A:1+5s&twice=B:2&at=1s&lang=zh"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, link string) {
		e, _ := ParseLink(link)
		if _, _, err := e.read(); err != nil {
			t.Fatalf("%q: %v", link, err)
		}
		again, err := ParseLink(e.Link())
		if err != nil || again.Link() != e.Link() {
			t.Fatalf("%q: %q, then %q: %v", link, e.Link(), again.Link(), err)
		}
	})
}
