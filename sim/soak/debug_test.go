package soak

import (
	"flag"
	"os"
	"testing"
)

var (
	dbgSeed = flag.Int64("seed", -1, "")
	dbgProf = flag.String("profile", "", "")
	dbgConn = flag.Int("conn", 0, "")
	dbgLast = flag.Int("last", 60, "")
)

func TestDebug(t *testing.T) {
	if *dbgSeed < 0 {
		t.Skip()
	}
	p, _ := ProfileByName(*dbgProf)
	o := &Options{Profile: p}
	s := Draw(uint64(*dbgSeed), p)
	r := play(&s, o, 0)
	_, err := r.judge()
	t.Logf("%v\n%v", err, &s)
	for i := range r.talks {
		for e := range r.talks[i].ends {
			x := &r.talks[i].ends[e]
			t.Logf("%d %d: %+v reset %v", i+1, e, x.fate, x.reset)
			if x.talker != nil {
				t.Logf("   sent %d received %d eof %v shut %v err %v early %v closed %v lost %v", x.talker.Sent, x.talker.Received, x.talker.EOF, x.talker.Shut, x.talker.Err, x.talker.Early, x.talker.Closed, x.talker.Lost())
			}
		}
	}
	s.WriteLadder(os.Stdout, o, *dbgConn-1, *dbgLast)
}
