package estabtest

import (
	"errors"
	"fmt"
	"math"
	"time"

	"estab/internal/netem"
	"estab/link"
)

// Link says what a path does to packets. The zero Link is perfect: it loses
// nothing, and everything arrives after a nanosecond.
//
// As an argument of [New] it describes the way from every host to every other,
// each way by itself: under Delay: 30 * time.Millisecond a round trip takes
// 60 ms. [Network.SetLink] and [Network.SetPath] change it, also while traffic
// is under way; what is under way stays as it is.
//
// Probabilities are from 0 to 1. What luck decides is drawn for each
// connection by itself, so that the fate of one doesn't depend on what others
// send; only the rate and its queue are shared.
type Link struct {
	Delay  time.Duration // how long a packet is under way
	Jitter time.Duration // each packet takes up to so much more or less; none overtakes another of its connection

	Loss      float64 // how many packets are lost
	Burst     float64 // the mean length of a row of losses, in packets, at least 1 (Gilbert's model); 0: losses are independent
	Duplicate float64 // how many arrive twice
	Corrupt   float64 // how many have one bit flipped
	Reorder   float64 // how many aren't delayed, and so overtake; needs a Delay

	Rate  int64 // bits a second; 0: no limit
	Queue int   // packets that wait for the rate or are being sent, more are lost; 0: 100

	// MTU is the largest packet in bytes. Larger ones are lost, and a message
	// goes back that says so (RFC 1191, RFC 8201). 0: no limit but that of the
	// hosts' links, which is 1500, or the MTU that New was given.
	MTU int

	// Netem says all this in the grammar of Linux's netem (tc-netem(8)), in
	// place of every field above but MTU:
	//
	//	delay 100ms 10ms 25% distribution normal
	//	loss 1% 25% | loss state … | loss gemodel …
	//	duplicate 1%   corrupt 1%   reorder 25% 50% gap 5
	//	rate 10mbit    limit 1000   mtu 1400
	//
	// Its jitter reorders, its mtu swallows without a word. Unlike the kernel,
	// a packet first waits for the rate and then for the delay, and limit
	// counts what waits for the rate.
	Netem string
}

// path is one direction of a Link, worked out.
type path struct {
	luck    netem.Model // what happens to packets of one connection: all but rate and limit
	rate    netem.Model // and to packets of all: rate and limit
	inOrder bool        // jitter lets nobody overtake
	mtu     int
}

const (
	defaultQueue = 100
	noLimit      = math.MaxInt32
)

// compile checks the link and works it out.
func (l Link) compile() (path, error) {
	if l.MTU != 0 && (l.MTU < link.MinMTU || l.MTU > link.MaxPacket) {
		return path{}, fmt.Errorf("MTU %d: want %d to %d", l.MTU, link.MinMTU, link.MaxPacket)
	}
	if l.Netem != "" {
		return l.compileNetem()
	}
	p := path{mtu: l.MTU, inOrder: true}
	p.luck.Limit = noLimit
	for _, c := range []struct {
		name string
		v    float64
		p    *netem.Prob
	}{
		{"Duplicate", l.Duplicate, &p.luck.Duplicate.P}, {"Corrupt", l.Corrupt, &p.luck.Corrupt.P},
		{"Reorder", l.Reorder, &p.luck.Reorder.P},
	} {
		if !(c.v >= 0 && c.v <= 1) {
			return p, fmt.Errorf("%s %v: want a probability from 0 to 1", c.name, c.v)
		}
		*c.p = prob(c.v)
	}
	switch {
	case l.Delay < 0 || l.Jitter < 0 || l.Jitter > l.Delay:
		return p, fmt.Errorf("Delay %v, Jitter %v: want 0 <= Jitter <= Delay", l.Delay, l.Jitter)
	case l.Reorder > 0 && l.Delay == 0:
		return p, errors.New("Reorder needs a Delay: packets overtake those that wait")
	case l.Rate < 0 || l.Queue < 0 || l.Queue > 0 && l.Rate == 0:
		return p, fmt.Errorf("Rate %d, Queue %d: want none of them below 0, and no Queue without a Rate", l.Rate, l.Queue)
	}
	p.luck.Delay = netem.Delay{Mean: int64(l.Delay), Jitter: int64(l.Jitter)}
	p.luck.Reorder.Gap = 1
	p.rate = netem.Model{Rate: netem.Rate{Bits: uint64(l.Rate)}, Limit: l.Queue}
	if l.Queue == 0 {
		p.rate.Limit = defaultQueue
	}
	return p, l.compileLoss(&p.luck.Loss)
}

// compileLoss makes a Gilbert-Elliott chain of a share of losses and the mean
// length of their bursts: all is lost in the bad state, which is left with
// probability 1/Burst.
func (l Link) compileLoss(m *netem.Loss) error {
	switch {
	case !(l.Loss >= 0 && l.Loss <= 1):
		return fmt.Errorf("Loss %v: want a probability from 0 to 1", l.Loss)
	case l.Burst != 0 && !(l.Burst >= 1):
		return fmt.Errorf("Burst %v: want a mean number of packets, at least 1", l.Burst)
	case l.Burst == 0 || l.Loss == 0 || l.Loss == 1:
		*m = netem.Loss{Kind: netem.RandomLoss, P: [5]netem.Prob{prob(l.Loss)}}
		return nil
	}
	leave := 1 / l.Burst
	*m = netem.Loss{Kind: netem.GilbertLoss, P: [5]netem.Prob{
		prob(min(1, l.Loss/(1-l.Loss)*leave)), prob(leave), netem.MaxProb, 0,
	}}
	return nil
}

func (l Link) compileNetem() (path, error) {
	rest := l
	rest.MTU, rest.Netem = 0, ""
	if rest != (Link{}) {
		return path{}, errors.New("Netem stands in place of the other fields: say either")
	}
	m, err := netem.Parse(l.Netem)
	if err != nil {
		return path{}, err
	}
	p := path{luck: m, mtu: l.MTU}
	p.rate = netem.Model{Rate: m.Rate, Limit: m.Limit}
	p.luck.Rate, p.luck.Limit = netem.Rate{}, noLimit
	return p, nil
}

func prob(p float64) netem.Prob { return netem.Prob(p * float64(netem.MaxProb)) }
