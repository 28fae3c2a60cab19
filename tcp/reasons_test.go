package tcp

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"estab/internal/wire"
)

// established is a rig with an open connection and no options.
func established(t testing.TB) *rig {
	r := newRig(t, plain())
	r.connect(ConnConfig{}, "<mss 1000>")
	return r
}

// timeWaiting is a rig whose connection is in TIME-WAIT; our FIN was number 1
// and the peer's too.
func timeWaiting(t testing.TB, cfg Config) *rig {
	r := newRig(t, cfg)
	r.connect(ConnConfig{}, "<mss 1000>")
	r.shutdown()
	r.want("F. 1:1(0) ack 1")
	r.in("F. 1:1(0) ack 2")
	r.want(". 2:2(0) ack 2")
	r.wantState(StateTimeWait)
	return r
}

// dropTests hold, for every reason that package tcp has for a discard, a
// conversation that reaches it once.
var dropTests = map[string]struct {
	reason Reason
	play   func(t *testing.T) *rig
}{
	"ClosedReset": {wire.DropClosedReset, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.in("R 1:1(0)")
		r.want()
		return r
	}},
	"NoListener": {wire.DropNoListener, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.iss = 0
		r.in("S 0:0(0)")
		r.want("R. 0:0(0) ack 1")
		return r
	}},
	"ListenReset": {wire.DropListenReset, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.listen(ListenOptions{})
		r.in("R 0:0(0)")
		r.want()
		return r
	}},
	"ListenAck": {wire.DropListenAck, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.listen(ListenOptions{})
		r.in(". 1:1(0) ack 77")
		r.want("R 77:77(0)")
		return r
	}},
	"ListenFlags": {wire.DropListenFlags, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.listen(ListenOptions{})
		r.in("SF 0:0(0)")
		r.want()
		return r
	}},
	"AcceptQueue": {wire.DropAcceptQueue, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.listen(ListenOptions{Backlog: 1})
		for i := range 2 {
			r.tup.RemotePort = uint16(i)
			r.in("S 0:0(0)")
			if i == 0 {
				r.iss = r.sent[0].Seq
				r.want("S. 0:0(0) ack 1")
				r.in(". 1:1(0) ack 1")
			}
		}
		r.want()
		return r
	}},
	"SynSentAck": {wire.DropSynSentAck, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.open(ConnConfig{})
		r.want("S 0:0(0)")
		r.in("S. 0:0(0) ack 2")
		r.want("R 2:2(0)")
		return r
	}},
	"SynSentReset": {wire.DropSynSentReset, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.open(ConnConfig{})
		r.want("S 0:0(0)")
		r.in("R 0:0(0)")
		r.want()
		return r
	}},
	"SynSentFlags": {wire.DropSynSentFlags, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.open(ConnConfig{})
		r.want("S 0:0(0)")
		r.in(". 1:1(0) ack 1")
		r.want()
		return r
	}},
	"Sequence": {wire.DropSequence, func(t *testing.T) *rig {
		r := established(t)
		r.in(". 65537:65538(1) ack 1")
		r.want(". 1:1(0) ack 1")
		return r
	}},
	"PAWS": {wire.DropPAWS, func(t *testing.T) *rig {
		r := newRig(t, Config{})
		r.connect(ConnConfig{}, "<mss 1000,TS val 100 ecr 0>")
		r.in(". 1:11(10) ack 1 <TS val 99 ecr 0>")
		r.want(". 1:1(0) ack 1")
		return r
	}},
	"ResetWindow": {wire.DropResetWindow, func(t *testing.T) *rig {
		r := established(t)
		r.in("R 2:2(0)")
		r.want(". 1:1(0) ack 1")
		return r
	}},
	"SynChallenge": {wire.DropSynChallenge, func(t *testing.T) *rig {
		r := established(t)
		r.in("S 1:1(0)")
		r.want(". 1:1(0) ack 1")
		return r
	}},
	"NoAck": {wire.DropNoAck, func(t *testing.T) *rig {
		r := established(t)
		r.in("- 1:11(10)")
		r.want()
		return r
	}},
	"AckOld": {wire.DropAckOld, func(t *testing.T) *rig {
		r := established(t)
		r.in(". 1:1(0) ack -65535") // 65536 before SND.UNA
		r.want(". 1:1(0) ack 1")
		return r
	}},
	"AckFuture": {wire.DropAckFuture, func(t *testing.T) *rig {
		r := established(t)
		r.in(". 1:1(0) ack 2")
		r.want(". 1:1(0) ack 1")
		return r
	}},
	"HalfOpenAck": {wire.DropHalfOpenAck, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.listen(ListenOptions{})
		r.in("S 0:0(0)")
		r.iss = r.sent[0].Seq
		r.want("S. 0:0(0) ack 1")
		r.in(". 1:1(0) ack 2")
		r.want("R 2:2(0)")
		return r
	}},
	"AfterClose": {wire.DropAfterClose, func(t *testing.T) *rig {
		r := established(t)
		r.e.Close(r.now, r.id, -1)
		r.output()
		r.want("F. 1:1(0) ack 1")
		r.in(". 1:11(10) ack 2")
		r.want("R 2:2(0)")
		r.wantState(StateClosed)
		return r
	}},
	"AfterFin": {wire.DropAfterFin, func(t *testing.T) *rig {
		r := established(t)
		r.in("F. 1:1(0) ack 1")
		r.want(". 1:1(0) ack 2")
		r.in(". 2:12(10) ack 1")
		r.want()
		return r
	}},
	"Duplicate": {wire.DropDuplicate, func(t *testing.T) *rig {
		r := established(t)
		r.in(". 1:11(10) ack 1")
		r.want(". 1:1(0) ack 11")
		r.in("F. 1:11(10) ack 1") // the FIN is new, the text is not
		r.want(". 1:1(0) ack 12")
		return r
	}},
	"TimeWait": {wire.DropTimeWait, func(t *testing.T) *rig {
		r := timeWaiting(t, plain())
		r.in(". 2:12(10) ack 2")
		r.want()
		return r
	}},
	"TimeWaitReset": {wire.DropTimeWaitReset, func(t *testing.T) *rig {
		r := timeWaiting(t, plain())
		r.in("R 2:2(0)")
		r.want()
		r.wantState(StateTimeWait)
		return r
	}},
	"Memory": {wire.DropMemory, func(t *testing.T) *rig {
		cfg := plain()
		cfg.MaxConns = 1
		r := newRig(t, cfg)
		r.listen(ListenOptions{})
		for i := range 2 {
			r.tup.RemotePort = uint16(i)
			r.in("S 0:0(0)")
			r.iss = r.sent[0].Seq
			r.want("S. 0:0(0) ack 1")
			r.in(". 1:1(0) ack 1")
		}
		r.want()
		return r
	}},
	"Deferred": {wire.DropDeferred, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.listen(ListenOptions{DeferAccept: 5 * time.Second})
		r.in("S 0:0(0)")
		r.iss = r.sent[0].Seq
		r.want("S. 0:0(0) ack 1")
		r.in(". 1:1(0) ack 1")
		r.want()
		return r
	}},
	"ICMPQuote": {wire.DropICMPQuote, func(t *testing.T) *rig {
		r := established(t)
		if got := r.e.PacketTooBig(r.now, &r.tup, r.iss+1, 1280); got != wire.DropICMPQuote {
			t.Errorf("PacketTooBig = %v", got)
		}
		return r
	}},
	"ChallengeLimit": {wire.DropChallengeLimit, func(t *testing.T) *rig {
		r := established(t)
		r.in("S 1:1(0)", "S 1:1(0)")
		r.want(". 1:1(0) ack 1")
		return r
	}},
	"ReplyQueue": {wire.DropReplyQueue, func(t *testing.T) *rig {
		r := newRig(t, plain())
		r.iss = 0
		var lines []string
		for range maxReplies + 1 {
			lines = append(lines, "S 0:0(0)")
		}
		r.batch(lines...)
		if len(r.sent) != maxReplies {
			t.Errorf("%d replies", len(r.sent))
		}
		r.sent = nil
		return r
	}},
	"NoRoute": {wire.DropNoRoute, func(t *testing.T) *rig {
		cfg := plain()
		cfg.Paths = noPaths{}
		r := newRig(t, cfg)
		r.listen(ListenOptions{})
		r.in("S 0:0(0)")
		r.want()
		return r
	}},
}

// noPaths knows no way to anywhere.
type noPaths struct{}

func (noPaths) Path(*Tuple) (Path, Error) { return Path{}, ErrNetUnreachable }

// Every reason for a discard is reached, and counted once.
func TestEveryDropReason(t *testing.T) {
	for name, x := range dropTests {
		t.Run(name, func(t *testing.T) {
			r := x.play(t)
			r.dropped(x.reason, 1)
			for why, n := range r.e.Counters().Drops {
				if n > 0 && Reason(why) != x.reason && !sideReasons[x.reason][Reason(why)] {
					t.Errorf("%v was counted too", Reason(why))
				}
			}
		})
	}
}

// sideReasons are other discards on the way to the one that is meant.
var sideReasons = map[Reason]map[Reason]bool{
	wire.DropChallengeLimit: {wire.DropSynChallenge: true}, // what was over the limit was challenged before
	wire.DropReplyQueue:     {wire.DropNoListener: true},
}

// otherTests are reasons that have a test of their own elsewhere.
var otherTests = map[string]string{
	"Backlog":     "TestSynFlood",
	"SourceLimit": "the tests of synflood.go",
}

// A reason that is new in this package needs a test.
func TestEveryDropReasonHasATest(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`wire\.Drop([A-Za-z0-9]+)`)
	used := map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range name.FindAllStringSubmatch(string(b), -1) {
			used[m[1]] = true
		}
	}
	for n := range used {
		if _, ok := dropTests[n]; !ok && otherTests[n] == "" {
			t.Errorf("wire.Drop%s has no test", n)
		}
	}
	for n := range dropTests {
		if !used[n] {
			t.Errorf("wire.Drop%s is tested and not used", n)
		}
	}
	if len(used) < 25 {
		t.Errorf("only %d reasons found", len(used))
	}
}
