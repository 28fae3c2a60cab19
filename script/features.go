package script

// feature is something of TCP that estab does not have yet.
type feature string

const (
	featureTLP    feature = "a tail loss probe (RFC 8985 section 7)"
	featureRACK   feature = "RACK's detection of losses by time (RFC 8985 section 6)"
	featurePacing feature = "pacing"
)

// missing is a line of a public script whose expectation rests on a feature.
// Such a script counts as not applicable until the feature is there; then its
// entry here goes.
type missing struct {
	script string // the last folder and the name of its file
	line   int
	what   feature
}

// missingFeatures is the one list of such lines.
var missingFeatures = [...]missing{
	{"fast_retransmit/fr-4pkt-fack-last-byte.pkt", 26, featureTLP},
	{"fast_retransmit/fr-4pkt-fack-last-mss.pkt", 27, featureRACK},
	{"sack/sack-shift-sacked-7-3-4-8-9-fack.pkt", 24, featureRACK},
	{"sack/sack-shift-sacked-7-5-6-8-9-fack.pkt", 23, featureRACK},
	{"shutdown/shutdown-rdwr-send-queue-ack-close.pkt", 33, featureTLP},
	{"shutdown/shutdown-rdwr-write-queue-close.pkt", 36, featureTLP},
	{"slow_start/slow-start-fq-ack-per-2pkt.pkt", 46, featurePacing},
}

// missingFeature is what a script rests on that is not there, as an error of
// kind NotSupported.
func missingFeature(s *Script) *Error {
	name := shortName(s.Name)
	for _, m := range missingFeatures {
		if m.script == name {
			return s.Errorf(NotSupported, s.eventAt(m.line), "this expects %s, which estab does not have yet", m.what)
		}
	}
	return nil
}

// eventAt is the place of the event on a line.
func (s *Script) eventAt(line int) Pos {
	for _, e := range s.Events() {
		if e.Pos.Line == line {
			return e.Pos
		}
	}
	return Pos{Line: line, Col: 1}
}
