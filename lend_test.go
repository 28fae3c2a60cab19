package estab_test

import (
	"bytes"
	"crypto/sha256"
	"hash"
	"io"
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"estab"
	"estab/link"
)

// On links that share memory (package link, Caps.Shares) text is read where its
// sender has queued it. lendingWorlds are such links, and one that harms packets
// on their way to a host; a may be b.
var lendingWorlds = map[string]struct {
	hosts func(t *testing.T, cfg estab.Config) (a, b *estab.Host)
	addr  string // of b
	loses bool
}{
	"IPv4":     {sharing(link.PairOptions{MTU: link.MaxPacket}, ""), addrB, false},
	"IPv6":     {sharing(link.PairOptions{MTU: link.MaxPacket}, ""), addrB6, false},
	"vouched":  {sharing(link.PairOptions{MTU: link.MaxPacket, Trusted: true}, ""), addrB, false},
	"40000":    {sharing(link.PairOptions{MTU: 40_000}, ""), addrB, false},
	"harmed":   {sharing(link.PairOptions{MTU: link.MaxPacket}, "corrupt 2% loss 1% duplicate 2% delay 1ms 500us"), addrB, true},
	"loopback": {func(t *testing.T, cfg estab.Config) (a, b *estab.Host) { h := newHost(t, cfg, nil); return h, h }, "127.0.0.1", false},
}

// sharing joins two hosts by a wire, the end at b being impaired.
func sharing(o link.PairOptions, bad string) func(t *testing.T, cfg estab.Config) (a, b *estab.Host) {
	return func(t *testing.T, cfg estab.Config) (a, b *estab.Host) {
		la, lb := link.Pair(o)
		far := link.Link(lb)
		if bad != "" {
			var err error
			if far, err = link.Impair(lb, link.Impairment{In: bad, Seed: 1}); err != nil {
				t.Fatal(err)
			}
		}
		return newHost(t, cfg, la, addrA+"/24", addrA6+"/64"), newHost(t, cfg, far, addrB+"/24", addrB6+"/64")
	}
}

// eachLending runs a test in a bubble for each world, with hosts of one shard and
// of many, and then looks whether every buffer has come back, unless the test
// closes a host. It must end before buffers that nobody needs are dropped, ten
// seconds after the first came.
func eachLending(t *testing.T, closes bool, f func(t *testing.T, a *estab.Host, l *estab.Listener, b *estab.Host)) {
	for name, world := range lendingWorlds {
		t.Run(name, func(t *testing.T) {
			eachShards(t, func(t *testing.T, cfg estab.Config) {
				cfg.KeepAlive, cfg.MSL = -1, -1
				a, b := world.hosts(t, cfg)
				l := listen(t, b, net.JoinHostPort(world.addr, "80"))
				f(t, a, l, b)
				synctest.Wait()
				out := a.SlabsOut()
				if b != a {
					out += b.SlabsOut()
				}
				// An impaired link has what it was given in exchange; a closed host
				// has dropped that.
				if out != 0 && !world.loses && !closes {
					t.Errorf("%d buffers have not come back", out)
				}
				a.Close()
				b.Close()
			})
		})
	}
}

// source gives random bytes in pieces of random length.
type source struct {
	rnd *rand.ChaCha8
	cut *rand.Rand
	sum hash.Hash
	buf [200_000]byte
}

func newSource(seed byte) *source {
	return &source{rnd: rand.NewChaCha8([32]byte{seed}), cut: rand.New(rand.NewPCG(1, uint64(seed))), sum: sha256.New()}
}

func (s *source) next(most int) []byte {
	b := s.buf[:1+s.cut.IntN(min(most, []int{100, 5000, 64 << 10, len(s.buf)}[s.cut.IntN(4)]))]
	s.rnd.Read(b)
	s.sum.Write(b)
	return b
}

// Several connections carry text both ways at once, written and read in pieces of
// any length, by readers that are now and then late. What arrives is what was sent.
func TestLendingCarriesText(t *testing.T) {
	const total = 2 << 20
	eachLending(t, false, func(t *testing.T, a *estab.Host, l *estab.Listener, b *estab.Host) {
		var wg sync.WaitGroup
		one := func(from, to net.Conn, seed byte) {
			s := newSource(seed)
			wg.Go(func() {
				for left := total; left > 0; {
					p := s.next(left)
					if _, err := from.Write(p); err != nil {
						t.Errorf("Write: %v", err)
						return
					}
					clear(p) // Write has copied it
					left -= len(p)
				}
				from.(*estab.Conn).CloseWrite()
			})
			wg.Go(func() {
				got, cut := sha256.New(), rand.New(rand.NewPCG(2, uint64(seed)))
				buf := make([]byte, 200_000)
				for {
					if cut.IntN(20) == 0 {
						time.Sleep(time.Duration(cut.IntN(1000)) * time.Microsecond)
					}
					n, err := to.Read(buf[:1+cut.IntN(len(buf))])
					got.Write(buf[:n])
					if err == io.EOF {
						break
					}
					if err != nil {
						t.Errorf("Read: %v", err)
						return
					}
				}
				// Its sender has ended: FIN is behind all text.
				if !bytes.Equal(got.Sum(nil), s.sum.Sum(nil)) {
					t.Error("other text arrives than was sent")
				}
			})
		}
		var conns []net.Conn
		for i := range byte(3) {
			c, s := connect(t, a, l)
			one(c, s, 2*i+1)
			one(s, c, 2*i+2)
			conns = append(conns, c, s)
		}
		wg.Wait()
		for _, c := range conns {
			c.Close()
		}
	})
}

// unread opens a connection over which text has come that nobody has read.
func unread(t *testing.T, a *estab.Host, l *estab.Listener) (c, s *estab.Conn, text []byte) {
	t.Helper()
	c, s = connect(t, a, l)
	text = pattern(7, 0, 256<<10)
	go c.Write(text)
	time.Sleep(time.Second)
	return c, s, text
}

// A connection that its sender aborts while the peer holds its text, or that the
// peer aborts without having read it, leaves nothing behind.
func TestAbortWithTextLent(t *testing.T) {
	eachLending(t, false, func(t *testing.T, a *estab.Host, l *estab.Listener, b *estab.Host) {
		for i := range 2 {
			c, s, _ := unread(t, a, l)
			ends := []*estab.Conn{c, s}
			ends[i].SetLinger(0)
			ends[i].Close()
			time.Sleep(time.Second)
			ends[1-i].Close()
		}
	})
}

// What has arrived can be read after its sender's host is gone, whose buffers it
// lies in.
func TestReadAfterTheSendersHostIsGone(t *testing.T) {
	for name, world := range lendingWorlds {
		if name == "loopback" {
			continue
		}
		t.Run(name, func(t *testing.T) {
			eachShards(t, func(t *testing.T, cfg estab.Config) {
				a, b := world.hosts(t, cfg)
				l := listen(t, b, net.JoinHostPort(world.addr, "80"))
				c, s := connect(t, a, l)
				text := pattern(7, 0, 60_000)
				if _, err := c.Write(text); err != nil {
					t.Fatal(err)
				}
				time.Sleep(10 * time.Second)
				c.CloseWrite()
				time.Sleep(10 * time.Second)
				if err := a.Close(); err != nil {
					t.Fatal(err)
				}
				got := make([]byte, len(text))
				if _, err := io.ReadFull(s, got); err != nil || !bytes.Equal(got, text) {
					t.Errorf("Read: %v; or it is other text", err)
				}
				b.Close()
			})
		})
	}
}

// A host that is closed while its peers hold its text, and it theirs, takes nothing
// with it: others go on with their buffers.
func TestCloseWithTextLent(t *testing.T) {
	eachLending(t, true, func(t *testing.T, a *estab.Host, l *estab.Listener, b *estab.Host) {
		_, s, text := unread(t, a, l)
		go s.Write(text)
		time.Sleep(time.Second)
		a.Close()
		time.Sleep(time.Minute)
		s.Close()
	})
}
