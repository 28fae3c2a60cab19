package estabtest

import (
	"crypto/rand"
	"encoding/binary"
	"hash/fnv"
	"io"
	"os"
	"strconv"
	"testing"
	"time"

	"estab"
)

// The two variables of the environment that [New] reads. They are variables
// because a flag would fail go test ./... in packages that don't know it.
const (
	seedVariable = "ESTAB_SEED" // a number; or "random", which prints what it drew
	pcapVariable = "ESTAB_PCAP" // a directory for captures
)

// Option is something to tell [New]: a [Link], or what the functions make that
// return an Option.
type Option interface{ set(*options) error }

type options struct {
	link      Link
	seed      uint64
	seeded    bool
	keepAlive time.Duration
	patience  time.Duration
	configure []func(host string, c *estab.Config)
}

type optionFunc func(*options)

func (f optionFunc) set(o *options) error { f(o); return nil }

func (l Link) set(o *options) error {
	o.link = l
	_, err := l.compile()
	return err
}

// Seed sets the seed that decides on all luck: losses, jitter, sequence
// numbers, ports. Without it the seed comes from the test's name, so that a
// test runs the same way every time. The variable ESTAB_SEED wins over both.
func Seed(seed uint64) Option {
	return optionFunc(func(o *options) { o.seed, o.seeded = seed, true })
}

// KeepAlive turns on keep-alive probes on all connections that don't say
// otherwise, after so much silence. Without it there are none: a timer that is
// set again for ever would hide that a test waits for something that can't
// happen.
func KeepAlive(idle time.Duration) Option {
	return optionFunc(func(o *options) { o.keepAlive = idle })
}

// Configure lets f change what a host is made of, before it is made, each time
// it is made. Links, Routes, Resolver, Secret and Events are best left alone.
func Configure(f func(host string, c *estab.Config)) Option {
	return optionFunc(func(o *options) { o.configure = append(o.configure, f) })
}

// Patience is how long it may go on that nothing passes but probes and
// repetitions, until the test fails and all hosts are closed: 24 hours without
// this option. Negative: for ever.
func Patience(d time.Duration) Option {
	return optionFunc(func(o *options) { o.patience = d })
}

func makeOptions(t testing.TB, opts []Option) options {
	t.Helper()
	o := options{keepAlive: -1, patience: 24 * time.Hour}
	for _, opt := range opts {
		if err := opt.set(&o); err != nil {
			t.Fatalf("estabtest: New: %v", err)
		}
	}
	if !o.seeded {
		o.seed = hashOf(t.Name())
	}
	switch s := os.Getenv(seedVariable); s {
	case "":
	case "random":
		var b [8]byte
		rand.Read(b[:])
		o.seed = binary.LittleEndian.Uint64(b[:])
		t.Logf("estabtest: %s=%d", seedVariable, o.seed)
	default:
		seed, err := strconv.ParseUint(s, 0, 64)
		if err != nil {
			t.Fatalf("estabtest: %s: %v", seedVariable, err)
		}
		o.seed = seed
	}
	return o
}

// hashOf makes a number of names.
func hashOf(names ...string) uint64 {
	h := fnv.New64a()
	for _, s := range names {
		io.WriteString(h, s)
		h.Write([]byte{0})
	}
	return h.Sum64()
}
