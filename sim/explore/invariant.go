package explore

// What RFC 9293 promises of two TCPs, written from its text (and RFC 5961's and
// RFC 1337's where they amend it), not from the engine's. Each invariant stands
// beside the sentence from which it comes, which a counterexample quotes, too.
// Those of a step ask what one end made of one input; those of a state ask what
// both ends believe; those of the rest ask how it all ends.

// stepRule is asked of every step of an end.
type stepRule struct {
	cite, says string
	broken     func(d *doing) string
}

func stepRules() []stepRule {
	return []stepRule{
		// Transitions.
		{"§3.3.2", "A TCP connection progresses from one state to another in response to events.", unlawful},
		{"§3.10.8", "For any state if the retransmission timeout expires … send the segment at the front of the retransmission queue again", timerMoves},
		{"§3.10", "Note that if no state change is mentioned, the TCP connection stays in the same state.", callMoves},
		{"§3.6", "… a TCP endpoint receiving a FIN will ACK but not send its own FIN until its user has CLOSED the connection also.", closesItself},
		{"§3.3.2", "Briefly the meanings of the states are:", meaning},

		// Opening.
		{"§3.10.7.4, fifth", "If SND.UNA < SEG.ACK =< SND.NXT, then enter ESTABLISHED state", establishes},
		{"§3.10.7.3, first", "If SEG.ACK =< ISS or SEG.ACK > SND.NXT, send a reset (unless the RST bit is set, if so drop the segment and return)", wrongAckInSynSent},
		{"§3.10.7.4, fifth", "If the segment acknowledgment is not acceptable, form a reset segment", wrongAckInSynReceived},
		{"§3.10.7.2", "ISS should be selected and a SYN segment sent of the form: <SEQ=ISS><ACK=RCV.NXT><CTL=SYN,ACK>", answersSYN},
		{"§3.10.1", "A SYN segment of the form <SEQ=ISS><CTL=SYN> is sent.", sendsSYN},
		{"§3.5", "… so long as the receiving TCP endpoint doesn't deliver the data to the user until it is clear the data is valid", delivers},

		// Sequence numbers.
		{"§2.2", "TCP provides a reliable, in-order, byte-stream service to applications.", garbled},
		{"§3.4", "SND.UNA < SEG.ACK =< SND.NXT", order},
		{"§3.8", "The amount by which the variables are advanced is the length of the data and SYN or FIN flags in the segment.", counts},
		{"§3.8", "When the sender creates a segment and transmits it, the sender advances SND.NXT. When the receiver accepts a segment, it advances RCV.NXT", goesBack},
		{"§3.4.3", "… the unique binding of segment data to sequence space", binding},
		{"§3.8", "… once in the ESTABLISHED state, all segments must carry current acknowledgment information.", currentAck},
		{"§3.10.7.4, first", "If an incoming segment is not acceptable, an acknowledgment should be sent in reply … drop the unacceptable segment and return", unacceptable},
		{"§3.10.7.4, fifth", "… acceptable only if it is in the range of ((SND.UNA - MAX.SND.WND) =< SEG.ACK =< SND.NXT). All incoming segments whose ACK value doesn't satisfy the above condition MUST be discarded and an ACK sent back.", acksUnsent},
		{"§3.10.7.4, seventh", "Once the TCP endpoint takes responsibility for the data, it advances RCV.NXT over the data accepted", takes},
		{"§3.10.7.4, fifth", "If SND.UNA < SEG.ACK =< SND.NXT, then set SND.UNA <- SEG.ACK.", acknowledged},
		{"§3.10.7.4, eighth", "advance RCV.NXT over the FIN, and send an acknowledgment for the FIN", owesAck},
		{"§3.5", "… the ACK does not occupy sequence number space (if it did, we would wind up ACKing ACKs!)", acksAcks},

		// Windows.
		{"§3.8.6, SHLD-14", "A TCP receiver SHOULD NOT shrink the window, i.e., move the right window edge to the left", shrinks},
		{"§3.10.7.4, fifth", "If (SND.WL1 < SEG.SEQ or (SND.WL1 = SEG.SEQ and SND.WL2 =< SEG.ACK)), set SND.WND <- SEG.WND … The check here prevents using old segments to update the window.", windowUpdate},
		{"§3.3.1", "future sequence numbers that are not yet allowed", beyondWindow},
		{"§3.3.1", "RCV.NXT+RCV.WND … future sequence numbers that are not yet allowed", beyondOffer},
		{"§3.8.6.2.2", "When the connection is quiescent, RCV.WND = RCV.BUFF and RCV.USER = 0.", overcommits},
		{"§3.8.6.1, MUST-36", "The sending TCP peer must regularly transmit at least one octet of new data (if available), or retransmit to the receiving TCP peer even if the send window is zero", unprobed},
		{"§3.8.6.1", "When the receiving TCP peer has a zero window and a segment arrives, it must still send an acknowledgment showing its next expected sequence number and current window (zero).", zeroWindow},
		{"§3.8", "TCP uses retransmission to ensure delivery of every segment.", unrepeated},

		// Resets.
		{"§3.10.7.4, second", "If the RST bit is set and the sequence number exactly matches the next expected sequence number (RCV.NXT), then TCP endpoints MUST reset the connection", resetBy},
		{"RFC 5961 §3.2", "… does not exactly match the next expected sequence value, yet is within the current receive window, TCP endpoints MUST send an acknowledgment (challenge ACK)", resetIgnored},
		{"§3.10.7.1", "An incoming segment not containing a RST causes a RST to be sent in response.", nobodyThere},
		{"§3.5.2", "A reset must not be sent if it is not clear that this is the case.", resetsWrongly},
		{"§3.6.1, SHLD-3", "If such a host issues a CLOSE call while received data is still pending in the TCP connection, or if new data is received after CLOSE is called, its TCP implementation SHOULD send a RST to show that data was lost", loses},
		{"§3.10.5", "Send a reset segment: <SEQ=SND.NXT><CTL=RST>", abortsWith},
		{"§3.10.7.4, fourth", "If the connection was initiated with a passive OPEN, then return this connection to the LISTEN state and return.", synHalfOpen},
		{"§3.10.7.4, fourth", "… if the SYN bit is set, irrespective of the sequence number, TCP endpoints MUST send a \"challenge ACK\" to the remote peer", synChallenged},

		// Closing.
		{"§3.10.7.4, fifth", "If our FIN is now acknowledged, delete the TCB, enter the CLOSED state, and return.", acksOfFIN},
		{"§3.6.1, MUST-13", "When a connection is closed actively, it MUST linger in the TIME-WAIT state for a time 2xMSL", lingers},
		{"§3.6.1, MAY-2", "… assigns its initial sequence number for the new connection to be larger than the largest sequence number it used on the previous connection incarnation", reuses},
		{"§3.6.1, MAY-2", "returns to TIME-WAIT state if the SYN turns out to be an old duplicate", returns},
		{"§3.6, MUST-12", "… the local application MUST be informed whether it closed normally or was aborted", informed},
	}
}

// stateRule is asked of every state of the world, once with either end for e
// and the other for p, its peer.
type stateRule struct {
	cite, says string
	broken     func(w *World, e, p *local) string
}

func stateRules() []stateRule {
	return []stateRule{
		{"§3.4.1", "The receiver of the first SYN has no way of knowing whether the segment was an old one or not … and so it must ask the sender to verify this SYN.", ghost},
		{"§3.4.1", "For a connection to be established or initialized, the two TCP peers must synchronize on each other's initial sequence numbers.", apart},
		{"§3.4.1", "… we must prevent segments from one incarnation of a connection from being used while the same sequence numbers may still be present in the network from an earlier incarnation", mixed},
		{"§3.6", "A TCP implementation will reliably deliver all buffers SENT before the connection was CLOSED", cut},
		{"§3.6", "… need only wait to hear the connection was CLOSED successfully to know that all their data was received at the destination TCP endpoint", misled},
		{"§3.4", "… an acknowledgment of sequence number X indicates that all octets up to but not including X have been received", believed},
		{"§3.6", "A TCP connection may terminate in two ways: (1) the normal TCP close sequence using a FIN handshake … and (2) an \"abort\"", broke},
	}
}

// finding is what is wrong, and the sentence that it goes against.
type finding struct{ why, sentence string }

func (f finding) none() bool { return f.why == "" }

// against is the finding that a sentence is not kept.
func against(cite, says, why string) finding {
	if cite[0] != 'R' {
		cite = "RFC 9293 " + cite
	}
	return finding{why, cite + ": \"" + says + "\""}
}

// judge asks the rules of what was done. A step that a rule before has
// condemned is not asked again.
func (a *actor) judge() {
	d := &a.doing
	d.is, d.after = &a.l, &a.l.view
	if a.l.eng == nil || !a.bad.none() {
		return
	}
	if err := a.l.eng.CheckInvariants(); err != nil {
		a.fail("%v", err)
	}
	if d.was.eng == nil || d.by == byCall && d.call == Restart {
		return // it has only come up
	}
	d.out = d.out[:0]
	for _, id := range a.out {
		d.out = append(d.out, &a.segments.all[id].seg)
	}
	for i := range a.rules {
		if why := a.rules[i].broken(d); why != "" {
			a.bad = against(a.rules[i].cite, a.rules[i].says, endName(d.end)+": "+why)
			return
		}
	}
}

// check asks the rules of a state.
func (s *search) check(st *state) finding {
	a, b := s.locals[st.local[A]], s.locals[st.local[B]]
	for i := range s.rules {
		r := &s.rules[i]
		why := r.broken(s.w, a, b)
		if why == "" {
			why = r.broken(s.w, b, a)
		}
		if why != "" {
			return against(r.cite, r.says, why)
		}
	}
	return finding{}
}
