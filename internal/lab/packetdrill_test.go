package lab

import (
	"strings"
	"testing"

	"estab/script"
	"estab/tcp"
)

// TestExportedScripts: what a host did and saw, exported in packetdrill's language, can
// be read, and passes when it is played.
func TestExportedScripts(t *testing.T) {
	for _, s := range Scenarios() {
		if s.Section == 3 {
			continue
		}
		r, err := s.Play(Defaults())
		if err != nil {
			t.Fatal(err)
		}
		for i, p := range r.Plays {
			for host := A; host <= B; host++ {
				name := s.Name + string(rune('1'+i)) + string(rune('A'+host)) + ".pkt"
				t.Run(name, func(t *testing.T) {
					var b strings.Builder
					if err := r.WriteScript(&b, p, host); err != nil {
						t.Skip(err)
					}
					// What packetdrill has no word for.
					o := script.Options{TCP: tcp.Config{MSL: p.stage.actors[host].config.MSL}}
					if host == B && p.patient() {
						t.Skip("packetdrill has no patient listeners")
					}
					reports, err := script.RunSource(name, []byte(b.String()), o)
					if err != nil {
						t.Fatalf("%v\n%s", err, b.String())
					}
					if x := reports[0]; x.Verdict != script.Passed {
						t.Errorf("%v: %v", x.Verdict, x.Err())
					}
				})
			}
		}
	}
}
