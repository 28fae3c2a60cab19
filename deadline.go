package estab

import (
	"time"

	"estab/tcp"
)

// deadline is when a direction of a connection, or an Accept, gives up. Its
// timer exists only once somebody has waited under a deadline, and is set only
// while somebody does: a server that moves a deadline with every request
// touches no timer.
type deadline struct {
	at    tcp.Time // 0: none
	armed tcp.Time // when the timer goes off; 0: it is not set
	timer *time.Timer
}

// passed reports whether the deadline is over.
func (d *deadline) passed(now tcp.Time) bool { return d.at != 0 && now >= d.at }

// arm sets the timer for somebody who is about to wait. A timer that goes off
// too early is set again by then.
func (d *deadline) arm(now tcp.Time, fire func()) {
	if d.at == 0 || d.armed != 0 && d.armed <= d.at {
		return
	}
	d.armed = d.at
	if wait := d.at.Sub(now); d.timer == nil {
		d.timer = time.AfterFunc(wait, fire)
	} else {
		d.timer.Reset(wait)
	}
}

// stop ends the timer.
func (d *deadline) stop() {
	if d.timer != nil {
		d.timer.Stop()
	}
	d.at, d.armed = 0, 0
}

// instant converts a deadline of package net to the host's clock: 0 is none,
// and what is past comes out as now.
func instant(now tcp.Time, t time.Time) tcp.Time {
	if t.IsZero() {
		return 0
	}
	return now.Add(max(time.Until(t), 0))
}
