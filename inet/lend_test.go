package inet

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"

	"estab/internal/wire"
	"estab/tcp"
)

// talk is a conversation of two stacks over a wire that loses packets and whose
// hosts read when they like. Everything comes from the seed.
type talk struct {
	rnd    *rand.Rand
	text   *rand.ChaCha8
	now    tcp.Time
	ends   [2]*Stack
	ids    [2]tcp.ConnID
	queue  [2][]*wire.Slab // what is on its way to that end
	from   int             // whose Output runs
	log    [][]byte        // every packet, as it was sent
	shared int             // packets that lay in the memory of a send queue
	copied int             // large ones that did not
	sent   [2][]byte
	got    [2][]byte
}

func (k *talk) Room(LinkID) bool { return true }

func (k *talk) Send(_ LinkID, p *wire.Slab) {
	k.log = append(k.log, bytes.Clone(p.Bytes()))
	if p.Shared() {
		k.shared++
	} else if p.Len() > wire.LargeSlab/2 {
		k.copied++
	}
	if k.rnd.IntN(40) == 0 { // lost: a link gives it back as it came
		p.Resize(0)
		k.ends[k.from].Pool().Put(p)
		return
	}
	k.queue[1-k.from] = append(k.queue[1-k.from], p)
}

func newTalk(t *testing.T, seed uint64, mtu int, remote string, shares bool) *talk {
	lc := func(a ...string) LinkConfig { return LinkConfig{MTU: mtu, Addrs: prefixes(a...), Shares: shares} }
	k := &talk{rnd: rand.New(rand.NewPCG(seed, 18)), text: rand.NewChaCha8([32]byte{byte(seed)}), now: 1, ends: [2]*Stack{
		newStack(t, 1, lc("192.0.2.1/24", "2001:db8:1::1/64")),
		newStack(t, 2, lc("192.0.2.2/24", "2001:db8:1::2/64")),
	}}
	l, _ := k.ends[1].TCP().Listen(1, tcp.ListenOptions{Port: 80, Backlog: 1})
	to := mustAddrPort(remote)
	src, _ := k.ends[0].Source(to.Addr())
	k.ids[0], _ = k.ends[0].TCP().Open(1, tcp.OpenOptions{Tuple: tcp.Tuple{
		Local: wire.AddrFrom(src), Remote: wire.AddrFrom(to.Addr()), LocalPort: 4000, RemotePort: 80}})
	for err := tcp.Error(1); err != 0; k.ids[1], err = k.ends[1].TCP().Accept(k.now, l) {
		k.pass()
	}
	return k
}

// pass carries what there is to be carried; if there is nothing, time passes until
// a timer goes off.
func (k *talk) pass() {
	carried := false
	for i, s := range k.ends {
		k.from = i
		s.Output(k.now, k)
		arrived := k.queue[i]
		k.queue[i] = nil
		for _, p := range arrived {
			carried = true
			s.Input(k.now, 1, p)
		}
		s.Output(k.now, k)
	}
	k.now += 10_000
	if next := min(k.ends[0].NextDeadline(), k.ends[1].NextDeadline()); !carried && next < tcp.Never {
		k.now = max(k.now, next)
	}
	for i, s := range k.ends {
		k.from = i
		s.Advance(k.now)
	}
}

// read lets one end read up to n bytes.
func (k *talk) read(i, n int) {
	b := make([]byte, n)
	n, _ = k.ends[i].TCP().Receive(k.now, k.ids[i], b, 0)
	k.got[i] = append(k.got[i], b[:n]...)
}

func (k *talk) speak(steps int) {
	for range steps {
		switch i := k.rnd.IntN(2); k.rnd.IntN(4) {
		case 0:
			b := make([]byte, []int{1, 100, 4000, 40_000, 64 << 10, 200_000}[k.rnd.IntN(6)])
			k.text.Read(b)
			n, _ := k.ends[i].TCP().Send(k.now, k.ids[i], b, 0)
			k.sent[i] = append(k.sent[i], b[:n]...)
		case 1:
			k.read(i, 1+k.rnd.IntN(200_000))
		default:
			k.pass()
		}
	}
}

// out is how many slabs are in use at both ends together and on the wire.
func (k *talk) out() int { return k.ends[0].Pool().Out + k.ends[1].Pool().Out }

func (k *talk) end() {
	for i, s := range k.ends {
		s.TCP().Abort(k.now, k.ids[i])
	}
	for range 5 {
		k.pass()
	}
}

// eachTalk runs f for links of several sizes and both versions of IP.
func eachTalk(t *testing.T, f func(t *testing.T, seed uint64, mtu int, remote string)) {
	for i, mtu := range []int{65535, 40_000, 1500} {
		for j, remote := range []string{"192.0.2.2:80", "[2001:db8:1::2]:80"} {
			t.Run(fmt.Sprintf("%d/%s", mtu, remote), func(t *testing.T) {
				for seed := range uint64(2) {
					f(t, seed+uint64(10*i+5*j), mtu, remote)
				}
			})
		}
	}
}

// On a link that shares memory the same packets pass, byte for byte, as on one
// that doesn't, at the same times and with right checksums; all text arrives, and
// every buffer comes back.
func TestLendingIsInvisible(t *testing.T) {
	eachTalk(t, func(t *testing.T, seed uint64, mtu int, remote string) {
		var talks [2]*talk
		for i := range talks {
			k := newTalk(t, seed, mtu, remote, i == 1)
			k.speak(1000)
			for stuck := 0; len(k.got[1]) < len(k.sent[0]) || len(k.got[0]) < len(k.sent[1]); stuck++ {
				k.read(0, 1<<20)
				k.read(1, 1<<20)
				k.pass()
				if stuck > 10_000 {
					t.Fatalf("seed %d: stuck", seed)
				}
			}
			if !bytes.Equal(k.got[0], k.sent[1]) || !bytes.Equal(k.got[1], k.sent[0]) {
				t.Fatalf("seed %d, shared %v: other text arrives than was sent", seed, i == 1)
			}
			k.end()
			if n := k.out(); n != 0 {
				t.Errorf("seed %d, shared %v: %d slabs are left", seed, i == 1, n)
			}
			talks[i] = k
		}
		without, with := talks[0], talks[1]
		if len(without.log) != len(with.log) {
			t.Fatalf("seed %d: %d packets without lending, %d with it", seed, len(without.log), len(with.log))
		}
		for i := range with.log {
			if i%16 == 0 {
				checkPacket(t, with.log[i])
			}
			if !bytes.Equal(without.log[i], with.log[i]) {
				t.Fatalf("seed %d: packet %d differs", seed, i)
			}
		}
		if without.shared != 0 || mtu == 1500 && with.shared != 0 || mtu > 1500 && (with.shared < 20 || with.copied == 0) {
			t.Errorf("seed %d: %d packets lent, %d copied; where nothing is shared, %d lent", seed, with.shared, with.copied, without.shared)
		}
	})
}

// Whoever gives up first, wherever text is at that time, it is not harmed where it
// is still read, and every buffer comes back.
func TestAbortWhileLent(t *testing.T) {
	eachTalk(t, func(t *testing.T, seed uint64, mtu int, remote string) {
		for first := range 2 {
			k := newTalk(t, seed, mtu, remote, true)
			k.speak(300)
			for range 200 { // everything that there is room for arrives, and is not read
				b := make([]byte, 64<<10)
				k.text.Read(b)
				n, _ := k.ends[first].TCP().Send(k.now, k.ids[first], b, 0)
				k.sent[first] = append(k.sent[first], b[:n]...)
				k.pass()
			}
			other := 1 - first
			k.ends[first].TCP().Abort(k.now, k.ids[first])
			b := bytes.Repeat([]byte{0xdb}, wire.LargeSlab)
			var used []*wire.Slab
			for range 100 { // the buffers that came back are used for something else
				s := k.ends[first].Pool().Get(len(b))
				s.Append(b)
				used = append(used, s)
			}
			k.read(other, 8<<20)
			if !bytes.HasPrefix(k.sent[first], k.got[other]) || mtu > 1500 && len(k.got[other]) == 0 {
				t.Errorf("seed %d: what was read after its sender was gone is not what was sent", seed)
			}
			for _, s := range used {
				k.ends[first].Pool().Put(s)
			}
			k.end()
			if n := k.out(); n != 0 {
				t.Errorf("seed %d: %d slabs are left", seed, n)
			}
		}
	})
}
