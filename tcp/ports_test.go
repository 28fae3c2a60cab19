package tcp

import (
	"math"
	"math/rand/v2"
	"testing"
)

// RFC 6056 §3.1: every ephemeral port is equally likely, for whoever does not
// know the key. A chi-square over 10^5 choices for different destinations
// (HOSTILE 36).
func TestPortsAreUniform(t *testing.T) {
	e := newEngine(t, Config{})
	n := int(e.candidatePorts())
	const draws = 100_000
	count := make([]int, n)
	tup := testTuple4
	for i := range uint64(draws) {
		tup.Remote.Lo = tup.Remote.Lo&^0xffffffff | i*2654435761&0xffffffff
		count[e.CandidatePort(&tup, 0)-e.cfg.PortFirst]++
	}
	bins := make([]float64, 256)
	for p, k := range count {
		bins[p*len(bins)/n] += float64(k)
	}
	chi := 0.0
	for i, k := range bins {
		// ports p with p*256/n == i
		lo, hi := (i*n+len(bins)-1)/len(bins), ((i+1)*n+len(bins)-1)/len(bins)
		want := draws * float64(hi-lo) / float64(n)
		chi += (k - want) * (k - want) / want
	}
	df := float64(len(bins) - 1)
	if math.Abs(chi-df) > 5*math.Sqrt(2*df) {
		t.Errorf("chi-square %.0f with %.0f degrees of freedom", chi, df)
	}
}

// For one destination no port comes back before all were used (RFC 6056 §3.3.4:
// the counter), and another destination's ports don't tell which comes next.
func TestPortsOfOneDestinationDontRepeat(t *testing.T) {
	e := newEngine(t, Config{PortFirst: 40000, PortLast: 40999})
	tup := testTuple4
	seen := map[uint16]bool{}
	for range 1000 {
		p := e.CandidatePort(&tup, 0)
		if p < 40000 || p > 40999 || seen[p] {
			t.Fatalf("port %d again, or out of range, after %d", p, len(seen))
		}
		seen[p] = true
	}
}

// The attempts of one choice visit every port once, whatever the size of the
// range.
func TestPortAttemptsVisitEveryPort(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 6, 30, 97, 1000, 1024, 28232, 65535} {
		e := newEngine(t, Config{PortFirst: 1, PortLast: uint16(n)})
		for dest := range uint64(20) {
			tup := testTuple4
			tup.Remote.Lo += dest
			seen := make([]bool, n+1)
			for i := range uint32(n) {
				p := e.CandidatePort(&tup, i)
				if int(p) > n || p == 0 || seen[p] {
					t.Fatalf("range of %d: attempt %d tries port %d again", n, i, p)
				}
				seen[p] = true
			}
			if n > 10000 {
				break
			}
		}
	}
}

// openMany opens connections to one destination until no port is free.
func openMany(t *testing.T, e *Engine) (ids []ConnID) {
	for {
		id, err := e.Open(e.now, OpenOptions{Tuple: Tuple{
			Local: testTuple4.Local, Remote: testTuple4.Remote, RemotePort: 80,
		}})
		if err == ErrNoPorts {
			return ids
		}
		if err != 0 {
			t.Fatal(err)
		}
		ids = append(ids, id)
	}
}

// At 95 % occupancy a choice takes 1/(1-0.95) = 20 attempts, wherever the free
// ports lie, and not a walk over the range.
func TestPortChoiceAtHighOccupancy(t *testing.T) {
	for name, free := range map[string]func(rnd *rand.Rand, i, n int) bool{
		"scattered": func(rnd *rand.Rand, i, n int) bool { return rnd.IntN(20) == 0 },
		"one block": func(_ *rand.Rand, i, n int) bool { return i < n/20 },
	} {
		e := newEngine(t, Config{PortFirst: 40000, PortLast: 41999})
		ids := openMany(t, e)
		if len(ids) != 2000 {
			t.Fatalf("%d connections over 2000 ports", len(ids))
		}
		rnd := rand.New(rand.NewPCG(1, 14))
		for _, id := range ids {
			tup, _ := e.Tuple(id)
			if free(rnd, int(tup.LocalPort-40000), 2000) {
				e.Abort(e.now, id)
			}
		}
		attempts, most := 0, 0
		const opens = 300
		for range opens {
			c := e.Clone()
			tup := Tuple{Local: testTuple4.Local, Remote: testTuple4.Remote, RemotePort: 80}
			n := 0
			for ; ; n++ { // what choosePort does
				tup.LocalPort = c.CandidatePort(&tup, uint32(n))
				if _, err := c.claim(&tup, false); err == 0 {
					break
				}
			}
			attempts += n + 1
			most = max(most, n+1)
			id, err := e.Open(e.now, OpenOptions{Tuple: Tuple{Local: tup.Local, Remote: tup.Remote, RemotePort: 80}})
			if err != 0 {
				t.Fatal(err)
			}
			if got, _ := e.Tuple(id); got != tup {
				t.Fatalf("Open took %v, this test expected %v", got, tup)
			}
			e.Abort(e.now, id)
			if got := c.ports; got != e.ports {
				t.Fatal("the counters differ")
			}
		}
		if mean := float64(attempts) / opens; mean > 30 || most > 400 {
			t.Errorf("%s: %.1f attempts on average, %d at most", name, mean, most)
		}
	}
}

// When no port is left the call says so at once; one port that becomes free is
// found (HOSTILE 36: "exhaustion -> EADDRNOTAVAIL, not spin").
func TestPortExhaustion(t *testing.T) {
	e := newEngine(t, Config{PortFirst: 40000, PortLast: 40099})
	ids := openMany(t, e)
	if len(ids) != 100 {
		t.Fatalf("%d connections over 100 ports", len(ids))
	}
	seen := map[uint16]bool{}
	for _, id := range ids {
		tup, _ := e.Tuple(id)
		if seen[tup.LocalPort] {
			t.Fatalf("port %d twice", tup.LocalPort)
		}
		seen[tup.LocalPort] = true
	}
	freed, _ := e.Tuple(ids[37])
	e.Abort(e.now, ids[37])
	again := openMany(t, e)
	if len(again) != 1 {
		t.Fatalf("%d connections over one free port", len(again))
	}
	if tup, _ := e.Tuple(again[0]); tup != freed {
		t.Errorf("took %v, free was %v", tup, freed)
	}
	// Another destination has all ports.
	other := Tuple{Local: testTuple4.Local, Remote: testTuple4.Remote, RemotePort: 81}
	if _, err := e.Open(e.now, OpenOptions{Tuple: other}); err != 0 {
		t.Errorf("another destination: %v", err)
	}
}

// A port that somebody serves is not chosen, at whatever address; after the
// listener is gone it is.
func TestPortChoiceSkipsListeners(t *testing.T) {
	e := newEngine(t, Config{PortFirst: 40000, PortLast: 40003})
	var ls []ListenerID
	for i, o := range []ListenOptions{{Addr: Any, Port: 40000}, {Addr: Any4, Port: 40001}, {Addr: testTuple4.Local, Port: 40002}, {Addr: Any6, Port: 40003}} {
		id, err := e.Listen(0, o)
		if err != 0 {
			t.Fatal(i, err)
		}
		ls = append(ls, id)
	}
	ids := openMany(t, e)
	if len(ids) != 1 {
		t.Fatalf("%d connections, want the one port whose listener is IPv6's", len(ids))
	}
	if tup, _ := e.Tuple(ids[0]); tup.LocalPort != 40003 {
		t.Errorf("took port %d", tup.LocalPort)
	}
	for _, l := range ls {
		e.Unlisten(0, l)
	}
	if ids = openMany(t, e); len(ids) != 3 {
		t.Errorf("%d connections after the listeners went", len(ids))
	}
}

// An active OPEN says what is wrong with its arguments (RFC 9293 §3.10.1).
func TestOpenErrors(t *testing.T) {
	e := newEngine(t, Config{MaxConns: 2})
	good := testTuple4
	for name, x := range map[string]struct {
		change func(*Tuple)
		want   Error
	}{
		"no remote port":     {func(t *Tuple) { t.RemotePort = 0 }, ErrInvalid},
		"no remote address":  {func(t *Tuple) { t.Remote = Any4 }, ErrInvalid},
		"no local address":   {func(t *Tuple) { t.Local = Any }, ErrInvalid},
		"mixed families":     {func(t *Tuple) { t.Local = testTuple6.Local }, ErrInvalid},
		"everything is fine": {func(t *Tuple) {}, 0},
	} {
		tup := good
		x.change(&tup)
		if _, err := e.Open(0, OpenOptions{Tuple: tup}); err != x.want {
			t.Errorf("%s: %v, want %v", name, err, x.want)
		}
	}
	if _, err := e.Open(0, OpenOptions{Tuple: good}); err != ErrInUse {
		t.Errorf("the pair is in use: %v", err)
	}
	good.LocalPort++
	if _, err := e.Open(0, OpenOptions{Tuple: good}); err != 0 {
		t.Errorf("the second connection: %v", err)
	}
	good.LocalPort++
	if _, err := e.Open(0, OpenOptions{Tuple: good}); err != ErrNoMemory {
		t.Errorf("beyond MaxConns: %v", err)
	}
}
