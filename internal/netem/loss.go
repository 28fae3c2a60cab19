package netem

// The states of the loss models' chains. The 4-state chain is that of Salsano
// and Ludovici, "Definition of a general and intuitive loss model for packet
// networks"; its states 1 to 4 are these four in the order of the names. A
// Gilbert-Elliott chain uses good and bad.
const (
	good      = iota // 1: received, in a gap between bursts
	burstGood        // 2: received within a burst
	bad              // 3: lost within a burst
	isolated         // 4: lost alone
)

// lost decides on one packet: it moves the chain and says whether the packet
// is lost. u decides, move is a second draw for models that need one.
func (l *Loss) lost(chain *uint8, u, move uint32) bool {
	switch l.Kind {
	case RandomLoss:
		return l.P[0].hit(u)
	case StateLoss:
		return l.fourState(chain, u)
	case GilbertLoss:
		return l.gilbertElliott(chain, u, move)
	}
	return false
}

func (l *Loss) fourState(chain *uint8, u uint32) bool {
	p13, p31, p32, p23, p14 := l.P[0], l.P[1], l.P[2], l.P[3], l.P[4]
	switch *chain {
	case good:
		if p14.hit(u) {
			*chain = isolated
		} else if p14.plus(p13).hit(u) {
			*chain = bad
		}
	case burstGood:
		if p23.hit(u) {
			*chain = bad
		}
	case bad:
		if p32.hit(u) {
			*chain = burstGood
		} else if p32.plus(p31).hit(u) {
			*chain = good
		}
	default:
		*chain = good
	}
	return *chain == bad || *chain == isolated
}

// gilbertElliott loses by the state before the move, as netem does.
func (l *Loss) gilbertElliott(chain *uint8, u, move uint32) bool {
	p, r, inBad, inGood := l.P[0], l.P[1], l.P[2], l.P[3]
	if *chain == good {
		if p.hit(move) {
			*chain = bad
		}
		return inGood.hit(u)
	}
	if r.hit(move) {
		*chain = good
	}
	return inBad.hit(u)
}

// plus adds probabilities, to certainty at most.
func (p Prob) plus(q Prob) Prob { return p + min(q, MaxProb-p) }
