package soak

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"estab/internal/netem"
	"estab/internal/wire"
	"estab/sim"
)

var update = flag.Bool("update", false, "rewrite the golden file")

// long reports whether there is time for more.
func long() bool { return os.Getenv("ESTAB_LONG") != "" }

// TestSoak plays worlds of each profile; ESTAB_LONG=1 plays a million
// connections, which takes minutes.
func TestSoak(t *testing.T) {
	last := uint64(399)
	if long() {
		last = 50_000
	}
	for _, p := range Profiles() {
		t.Run(p.Name, func(t *testing.T) {
			o := &Options{Profile: p, To: last, Workers: 2}
			s := Run(o)
			if len(s.Failures) > 0 {
				b := &strings.Builder{}
				s.Write(b, 0, "estab lab soak")
				t.Fatal(b)
			}
			if s.Worlds != int(last)+1 || s.Bytes == 0 || p.Loss > 0 && s.Again == 0 {
				t.Errorf("%d worlds, %d bytes, %d segments again: the worlds are too kind", s.Worlds, s.Bytes, s.Again)
			}
		})
	}
}

// TestSameSummary: the number of workers changes nothing.
func TestSameSummary(t *testing.T) {
	p, _ := ProfileByName("")
	one := Run(&Options{Profile: p, To: 199, Workers: 1})
	three := Run(&Options{Profile: p, To: 199, Workers: 3})
	if fmt.Sprint(one) != fmt.Sprint(three) {
		t.Errorf("with one worker  %v\nwith three        %v", one, three)
	}
}

// TestStop: a run ends when it is told to.
func TestStop(t *testing.T) {
	p, _ := ProfileByName("calm")
	n := 0
	s := Run(&Options{Profile: p, To: 1 << 40, Workers: 2, Stop: func() bool { n++; return n == 3 }})
	if s.Worlds < 3*batch || s.Worlds > 10*batch {
		t.Errorf("%d worlds were played", s.Worlds)
	}
}

// TestGolden: one seed gives one run, byte for byte, on every machine. The
// file holds a hash of all packets, their times and fates, for some worlds of
// each profile.
func TestGolden(t *testing.T) {
	b := &strings.Builder{}
	for _, p := range Profiles() {
		h := sha256.New()
		packets := 0
		for seed := range uint64(25) {
			s := Draw(seed, p)
			o := &Options{Profile: p, Meddle: func(k *sim.Packet) {
				packets++
				binary.Write(h, binary.BigEndian, int64(k.Time))
				binary.Write(h, binary.BigEndian, k.Fate.At)
				h.Write([]byte{byte(k.Fate.Drop)})
				h.Write(k.Data)
			}}
			play(&s, o, 0)
		}
		fmt.Fprintf(b, "%-8s %6d packets %s\n", p.Name, packets, hex.EncodeToString(h.Sum(nil)))
	}
	file := filepath.Join("testdata", "hashes.golden")
	if *update {
		os.MkdirAll("testdata", 0o777)
		if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if b.String() != string(want) {
		t.Errorf("the runs have changed (if they should: go test ./sim/soak -run TestGolden -update)\ngot\n%swant\n%s", b, want)
	}
}

// TestPlantedFault: a path that damages a byte of each segment that overtook
// another, and repairs the checksum, is caught, and the world shrinks to one
// connection and what it takes to see it.
func TestPlantedFault(t *testing.T) {
	p, _ := ProfileByName("mixed")
	s := Run(&Options{Profile: p, To: 5000, Meddle: damageLastByte})
	if len(s.Failures) == 0 {
		t.Fatal("not caught")
	}
	f := &s.Failures[0]
	if !strings.Contains(f.Again, "byte") || f.Conn != 0 || len(f.Small.Talks) != 1 || len(f.Small.Faults) > 1 {
		t.Errorf("seed %d: %s\n%s", f.Seed, f.Again, f.Text)
	}
	plans := f.Small.Talks[0].Plans
	if plans[0].Send+plans[1].Send > 5000 || plans[0].Pause+plans[1].Pause+plans[0].ReadPause+plans[1].ReadPause > 0 {
		t.Errorf("not shrunk:\n%s", f.Text)
	}
	b := &strings.Builder{}
	if err := s.Write(b, 0, "estab lab soak"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"FAILED: seed", "To play it again: estab lab soak --profile mixed --seeds", "smallest world", "SYN-SENT", "len"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("the report has no %q:\n%s", want, b)
		}
	}
	t.Logf("\n%s", b)
}

func damageLastByte(k *sim.Packet) {
	if k.Fate.Drop != netem.NotDropped || !k.Fate.Reordered {
		return
	}
	var h wire.IPHeader
	var seg wire.Segment
	if wire.ParseIP(k.Data, &h) != wire.Accepted || h.Proto != wire.ProtoTCP {
		return
	}
	text := k.Data[h.HeaderLen:h.TotalLen]
	if wire.ParseTCP(text, &seg) != wire.Accepted || len(seg.Payload) == 0 {
		return
	}
	text[len(text)-1] ^= 0x55
	text[16], text[17] = 0, 0
	wire.PutTCPChecksum(h.Src, h.Dst, text)
}

// TestProfiles: each has a name of its own, and is found by it.
func TestProfiles(t *testing.T) {
	for _, p := range Profiles() {
		if q, ok := ProfileByName(p.Name); !ok || q != p || p.Doc == "" {
			t.Errorf("profile %q is not found, or says nothing", p.Name)
		}
	}
	if _, ok := ProfileByName("nonsense"); ok {
		t.Error("there is no such profile")
	}
}

// BenchmarkConnection is a connection of the mixed profile, invariants checked
// after every event.
func BenchmarkConnection(b *testing.B) {
	p, _ := ProfileByName("mixed")
	conns := 0
	for seed := uint64(0); conns < b.N; seed++ {
		s := Draw(seed, p)
		r := play(&s, &Options{}, 0)
		if _, err := r.judge(); err != nil {
			b.Fatal(err)
		}
		conns += len(r.talks)
	}
}
