package tcp

import (
	"math"
	"strings"
	"testing"
	"time"
)

// What lies beyond a limit is refused, by name; the limit itself is not.
// Shows: RFC 9293 MUST-40.
func TestConfigLimits(t *testing.T) {
	for _, x := range []struct {
		name    string
		set     func(*Config, int)
		ok, bad []int
	}{
		{"DelayedAck", func(c *Config, n int) { c.DelayedAck = time.Duration(n) }, []int{-1, 499_999_999}, []int{500_000_000}},
		{"MSL", func(c *Config, n int) { c.MSL = time.Duration(n) * time.Hour }, []int{-1, 24}, []int{25, 1 << 20}},
		{"RTOMax", func(c *Config, n int) { c.RTOMax = time.Duration(n) * time.Minute }, []int{1, 60}, []int{61}},
		{"ChallengeAckWait", func(c *Config, n int) { c.ChallengeAckWait = time.Duration(n) * time.Minute }, []int{-1, 60}, []int{61}},
		{"SynRetries", func(c *Config, n int) { c.SynRetries = n }, []int{-1, 254}, []int{255, 256}},
		{"Retries1", func(c *Config, n int) { c.Retries1 = n }, []int{254}, []int{255}},
		{"Retries2", func(c *Config, n int) { c.Retries2 = n }, []int{254}, []int{255, math.MaxInt}},
		{"OrphanRetries", func(c *Config, n int) { c.OrphanRetries = n }, []int{254}, []int{255}},
		{"ReceiveBuffer", func(c *Config, n int) { c.ReceiveBuffer = n }, []int{1, 1 << 30}, []int{-1, 1<<30 + 1, math.MaxInt}},
		{"ReceiveBufferMax", func(c *Config, n int) { c.ReceiveBufferMax = n }, []int{1, 1 << 30}, []int{1<<30 + 1}},
		{"SendBuffer", func(c *Config, n int) { c.SendBuffer = n }, []int{1, 1 << 30}, []int{-1, 1<<30 + 1, math.MaxInt}},
		{"SendBufferMax", func(c *Config, n int) { c.SendBufferMax = n }, []int{1, 1 << 30}, []int{1<<30 + 1}},
		{"MaxConns", func(c *Config, n int) { c.MaxConns = n }, []int{1, 1 << 30}, []int{-1, math.MaxInt}},
		{"MaxHalfOpen", func(c *Config, n int) { c.MaxHalfOpen = n }, []int{-1, 1 << 30}, []int{math.MaxInt}},
		{"MaxTimeWait", func(c *Config, n int) { c.MaxTimeWait = n }, []int{1, 1 << 30}, []int{-1, math.MaxInt}},
		{"InitialWindow", func(c *Config, n int) { c.InitialWindow = n }, []int{-1, 1 << 16}, []int{1<<16 + 1}},
	} {
		for _, n := range append(append([]int{0}, x.ok...), x.bad...) {
			cfg := Config{Secret: testSecret}
			x.set(&cfg, n)
			_, err := New(cfg)
			bad := false
			for _, b := range x.bad {
				bad = bad || b == n
			}
			if bad && (err == nil || !strings.Contains(err.Error(), "Config."+x.name+" is ")) {
				t.Errorf("%s %d: %v, want to be refused", x.name, n, err)
			}
			if !bad && err != nil {
				t.Errorf("%s %d: %v", x.name, n, err)
			}
		}
	}
}

// RTOMax is the ceiling of the others, and no RTO comes down to nothing.
func TestConfigRTO(t *testing.T) {
	for _, x := range []struct{ initial, least, most, wantInitial, wantLeast time.Duration }{
		{0, 0, 0, time.Second, 200 * ms},
		{0, 0, 500 * ms, 500 * ms, 200 * ms},
		{0, 0, 100 * ms, 100 * ms, 100 * ms},
		{time.Hour, time.Hour, 0, 120 * time.Second, 120 * time.Second},
		{0, -1, 0, time.Second, time.Millisecond},
		{1, 1, 0, time.Millisecond, time.Millisecond},
	} {
		c := Config{RTOInitial: x.initial, RTOMin: x.least, RTOMax: x.most}.withDefaults()
		if c.RTOInitial != x.wantInitial || c.RTOMin != x.wantLeast {
			t.Errorf("%+v: RTOInitial %v, RTOMin %v", x, c.RTOInitial, c.RTOMin)
		}
	}
}

// A connection's own sizes and tries are cut to what its fields hold, and the most
// tries that there can be come to an end.
func TestConnConfigLimits(t *testing.T) {
	cfg := plain()
	cfg.NoWindowScaling, cfg.RTOMax = false, time.Second
	r := newRig(t, cfg)
	r.open(ConnConfig{ReceiveBuffer: math.MaxInt, SendBuffer: math.MaxInt, SynRetries: math.MaxInt})
	if s := r.status(); s.ReceiveBuffer != 1<<30 || s.SendBuffer != 1<<30 || s.RcvScale != 14 {
		t.Errorf("buffers %d and %d, scale %d", s.ReceiveBuffer, s.SendBuffer, s.RcvScale)
	}
	r.advance(time.Hour)
	r.wantState(StateClosed)
	r.wantErr(ErrTimeout)
	if n := len(r.sent); n != 255 {
		t.Errorf("%d SYNs, want 255", n)
	}
	r.sent = nil

	cfg.Retries2 = 254
	r = newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000>")
	r.write(10)
	r.advance(time.Hour)
	r.wantErr(ErrTimeout)
	if n := len(r.sent); n != 255 {
		t.Errorf("%d segments, want 255", n)
	}
	r.sent = nil
}
