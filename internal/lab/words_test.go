package lab

import (
	"testing"

	"estab/internal/trace"
	"estab/internal/wire"
	"estab/tcp"
)

// TestWords: whatever the engine can tell has a Chinese text.
func TestWords(t *testing.T) {
	need := func(en string) {
		if x := Phrase(en); x.EN == x.ZH {
			t.Errorf("%q has no Chinese text", en)
		}
	}
	for r := wire.Accepted; r < wire.NumReasons; r++ {
		need(trace.ReasonText(r))
	}
	for w := tcp.WhyNone; w.String() != "why?"; w++ {
		need(trace.WhyText(w))
	}
	for k := tcp.TimerRetransmit; k <= tcp.TimerSynAck; k++ {
		if k != tcp.NumTimers {
			need(trace.TimerText(k))
			need(trace.GaveUpText(k))
		}
		if k < tcp.NumTimers {
			if x := TimerName(k); x.EN == x.ZH {
				t.Errorf("the timer %v has no name", k)
			}
		}
	}
	for e := tcp.Error(0); e <= tcp.ErrEOF; e++ {
		need(e.Error())
	}
	for s := tcp.StateClosed; s <= tcp.StateTimeWait; s++ {
		if x := StateText(s.String()); x.EN == "" || x.ZH == "" {
			t.Errorf("%v has no text", s)
		}
		for to := tcp.StateClosed; to <= tcp.StateTimeWait; to++ {
			event, _ := ArrowText(s.String(), to.String())
			if s != to && tcp.Legal(s, to) && to != tcp.StateClosed && s != tcp.StateClosed && event.ZH == "" {
				t.Errorf("%v to %v has no text", s, to)
			}
		}
	}
}
