package explore
import ("testing";"syscall";"time")
func cpu() time.Duration { var r syscall.Rusage; syscall.Getrusage(0,&r); return time.Duration(r.Utime.Nano()) }
func TestTune(t *testing.T) {
	for _, c := range []struct{ name string; l,d,e,f int }{
		{"transfer",1,0,0,6},{"transfer",1,0,1,5}, {"server-crash",1,0,0,6}, {"crash",1,0,1,6}, {"crash",1,1,0,6},{"time-wait",1,1,0,6},{"time-wait",0,2,0,6},{"refused",1,0,1,6},{"refused",1,1,0,6},{"passive-to-active",1,0,1,6},{"stale-syn",1,1,0,6},
	} {
		w,_ := WorldByName(c.name)
		w.Lose,w.Double,w.Delay,w.InFlight = c.l,c.d,c.e,c.f
		t0 := cpu()
		r := Explore(&w, Options{States: 12_000_000})
		t.Logf("%-18s %d %d %d %d: %9d states cpu %v  %.0f/s crowded %d full %v %s", c.name, c.l,c.d,c.e,c.f, r.States, cpu()-t0, float64(r.States)/(cpu()-t0).Seconds(), r.Crowded, r.Full, r.Wrong)
	}
}
