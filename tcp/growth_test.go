package tcp

import (
	"testing"
	"time"

	"estab/internal/wire"
)

// The shortest age of an ACK counts, less the tick that may just have passed;
// an echo of what was never said leaves the buffer as it is.
func TestRoundTripOfArrivals(t *testing.T) {
	e, err := New(Config{Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range []struct {
		name string
		ages []uint32 // ms
		want time.Duration
	}{
		{"none", nil, minAutotuneRTT},
		{"within a tick", []uint32{0}, minAutotuneRTT},
		{"a tick has passed", []uint32{1, 40}, minAutotuneRTT},
		{"the shortest", []uint32{80, 31, 200}, 30 * time.Millisecond},
		{"never said", []uint32{1 << 31}, (noRTT/1000 - 1) * time.Millisecond},
	} {
		c := &conn{tsOffset: 0xfffffff0, rcvBuf: 64 << 10}
		c.set(fTimestamps)
		e.now = Time(time.Hour)
		e.growthRound(c)
		for _, age := range x.ages {
			seg := &Segment{}
			seg.Options.Set = wire.OptTimestamps
			seg.Options.TSEcr = e.tsClock() + c.tsOffset - age
			e.noteArrival(c, seg, 1000)
		}
		if got := c.growthRTT(); got != x.want {
			t.Errorf("%s: %v, want %v", x.name, got, x.want)
		}
		e.now = e.now.Add(time.Second)
		e.growReceiveBuffer(c)
		if c.rcvBuf != 64<<10 {
			t.Errorf("%s: buffer of %d bytes after %d segments in a second", x.name, c.rcvBuf, len(x.ages))
		}
	}
}

// As much as arrives in a round trip, and twice that.
func TestReceiveBufferIsTwiceARoundTrip(t *testing.T) {
	e, err := New(Config{Secret: testSecret})
	if err != nil {
		t.Fatal(err)
	}
	e.now = Time(100 * time.Minute) // the clock of microseconds has gone round
	c := &conn{rcvBuf: 64 << 10, srtt: 20 * time.Millisecond}
	e.growthRound(c)
	e.noteArrival(c, &Segment{}, 1<<20)
	e.now = e.now.Add(19 * time.Millisecond)
	if e.growReceiveBuffer(c); c.rcvBuf != 64<<10 {
		t.Fatalf("%d bytes before a round trip was over", c.rcvBuf)
	}
	e.now = e.now.Add(21 * time.Millisecond)
	if e.growReceiveBuffer(c); c.rcvBuf != 1<<20 {
		t.Errorf("%d bytes, want those of two round trips: 1 MiB", c.rcvBuf)
	}
}
