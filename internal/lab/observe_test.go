package lab

import (
	"bytes"
	"testing"
)

// TestObserve: to be looked at changes nothing about a run.
func TestObserve(t *testing.T) {
	for _, s := range Scenarios() {
		if s.Name == "flood-defences" {
			continue // which takes as long as all others
		}
		play, err := s.Play(Defaults())
		if err != nil {
			t.Fatal(err)
		}
		seen, err := s.Observe(Defaults())
		if err != nil {
			t.Fatal(err)
		}
		var a, b bytes.Buffer
		if err := play.WriteCapture(&a); err != nil {
			t.Fatal(err)
		}
		if err := seen.WriteCapture(&b); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(a.Bytes(), b.Bytes()) {
			t.Errorf("%s: observed, the capture is another", s.Name)
		}
		if x, y := events(play), events(seen); x != y {
			t.Errorf("%s: observed, the events are others: %s", s.Name, difference(y, x))
		}
		for i, v := range seen.Verdicts {
			if w := play.Verdicts[i]; v.State != w.State || v.Text != w.Text {
				t.Errorf("%s: %s: observed, the verdict is another", s.Name, v.Text.EN)
			}
		}
	}
}
