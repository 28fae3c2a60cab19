package tcp

import "estab/internal/wire"

// arrivesClosed is §3.10.7.1: "If the state is CLOSED (i.e., TCB does not
// exist), then all data in the incoming segment is discarded. An incoming
// segment containing a RST is discarded. An incoming segment not containing a
// RST causes a RST to be sent in response."
func (e *Engine) arrivesClosed(seg *Segment) {
	if seg.Flags.Has(wire.RST) {
		e.drop(nil, seg, wire.DropClosedReset)
		return
	}
	e.drop(nil, seg, wire.DropNoListener)
	e.reset(seg)
}
