package tcp

// State is a state of a connection (RFC 9293 §3.3.2).
type State uint8

const (
	StateClosed State = iota
	StateListen
	StateSynSent
	StateSynReceived
	StateEstablished
	StateFinWait1
	StateFinWait2
	StateCloseWait
	StateClosing
	StateLastAck
	StateTimeWait
	numStates
)

var stateNames = [numStates]string{
	"CLOSED", "LISTEN", "SYN-SENT", "SYN-RECEIVED", "ESTABLISHED", "FIN-WAIT-1",
	"FIN-WAIT-2", "CLOSE-WAIT", "CLOSING", "LAST-ACK", "TIME-WAIT",
}

// String is the state's name in the RFC.
func (s State) String() string {
	if s < numStates {
		return stateNames[s]
	}
	return "STATE?"
}

// Synchronised reports whether both ends agreed on sequence numbers
// (RFC 9293 §3.5.2: "synchronized state").
func (s State) Synchronised() bool { return s >= StateEstablished && s <= StateTimeWait }

// legal holds the transitions of figure 5 and those that the text around it
// adds: legal[from] has bit to. Every state can become CLOSED (abort, reset,
// time-out); the rest is listed.
//
//	CLOSED       active OPEN                -> SYN-SENT
//	CLOSED       a half-open record that
//	             completes becomes a TCB    -> SYN-RECEIVED
//	LISTEN       SYN arrives                -> SYN-RECEIVED
//	SYN-SENT     SYN,ACK arrives            -> ESTABLISHED
//	SYN-SENT     SYN arrives                -> SYN-RECEIVED
//	SYN-RECEIVED RST arrives, passive       -> LISTEN
//	SYN-RECEIVED ACK of our SYN             -> ESTABLISHED
//	SYN-RECEIVED CLOSE                      -> FIN-WAIT-1
//	SYN-RECEIVED FIN arrives                -> CLOSE-WAIT
//	ESTABLISHED  CLOSE                      -> FIN-WAIT-1
//	ESTABLISHED  FIN arrives                -> CLOSE-WAIT
//	FIN-WAIT-1   ACK of our FIN             -> FIN-WAIT-2
//	FIN-WAIT-1   FIN arrives                -> CLOSING
//	FIN-WAIT-1   FIN, and ACK of our FIN    -> TIME-WAIT
//	FIN-WAIT-2   FIN arrives                -> TIME-WAIT
//	CLOSE-WAIT   CLOSE                      -> LAST-ACK
//	CLOSING      ACK of our FIN             -> TIME-WAIT
//	LAST-ACK     ACK of our FIN             -> CLOSED
//	TIME-WAIT    a newer SYN (RFC 6191)     -> SYN-RECEIVED
var legal = [numStates]uint16{
	StateClosed:      1<<StateSynSent | 1<<StateSynReceived | 1<<StateListen,
	StateListen:      1 << StateSynReceived,
	StateSynSent:     1<<StateEstablished | 1<<StateSynReceived,
	StateSynReceived: 1<<StateListen | 1<<StateEstablished | 1<<StateFinWait1 | 1<<StateCloseWait,
	StateEstablished: 1<<StateFinWait1 | 1<<StateCloseWait,
	StateFinWait1:    1<<StateFinWait2 | 1<<StateClosing | 1<<StateTimeWait,
	StateFinWait2:    1 << StateTimeWait,
	StateCloseWait:   1 << StateLastAck,
	StateClosing:     1 << StateTimeWait,
	StateLastAck:     0,
	StateTimeWait:    1 << StateSynReceived,
}

// Legal reports whether figure 5 has an arrow from one state to the other.
func Legal(from, to State) bool {
	return to == StateClosed && from != StateClosed || legal[from]>>to&1 != 0
}
