package tcp

import (
	"fmt"
	"math"
	"time"
)

// limits of a connection's numbers: what its fields and its header can hold.
const (
	maxRetries = 254     // a counter of eight bits has to pass it
	maxBuffer  = 1 << 30 // bytes: the largest window (RFC 7323 §2.3)
)

// check refuses what would break a promise (which the reason names) or a counter.
// It is asked with the defaults in place.
// Obeys: RFC 9293 MUST-40; RFC 5681 4.2b.
func (c *Config) check() error {
	const day = 24 * time.Hour
	for _, x := range []struct {
		name       string
		got, limit time.Duration
		why        string
	}{
		{"MSL", c.MSL, day, ""},
		{"RTOMax", c.RTOMax, time.Hour, ""},
		{"DelayedAck", c.DelayedAck, 500*time.Millisecond - 1, " (RFC 9293 MUST-40)"},
		{"ChallengeAckWait", c.ChallengeAckWait, time.Hour, ""},
	} {
		if x.got > x.limit {
			return fmt.Errorf("tcp: Config.%s is %v: at most %v%s", x.name, x.got, x.limit, x.why)
		}
	}
	for _, x := range []struct {
		name             string
		got, least, most int
	}{
		{"SynRetries", c.SynRetries, math.MinInt, maxRetries},
		{"SynAckRetries", c.SynAckRetries, math.MinInt, maxStages - 2}, // a half-open record counts them in four bits
		{"Retries1", c.Retries1, math.MinInt, maxRetries},
		{"Retries2", c.Retries2, math.MinInt, maxRetries},
		{"OrphanRetries", c.OrphanRetries, math.MinInt, maxRetries},
		{"ReceiveBuffer", c.ReceiveBuffer, 1, maxBuffer},
		{"ReceiveBufferMax", c.ReceiveBufferMax, 1, maxBuffer},
		{"SendBuffer", c.SendBuffer, 1, maxBuffer},
		{"SendBufferMax", c.SendBufferMax, 1, maxBuffer},
		{"MaxConns", c.MaxConns, 1, 1 << 30},
		{"MaxHalfOpen", c.MaxHalfOpen, math.MinInt, 1 << 30},
		{"MaxTimeWait", c.MaxTimeWait, 1, 1 << 30},
		{"Defence.Sources", c.Defence.Sources, 1, 1 << 24},
		{"InitialWindow", c.InitialWindow, math.MinInt, 1 << 16},
	} {
		if x.got < x.least || x.got > x.most {
			return fmt.Errorf("tcp: Config.%s is %d: %s", x.name, x.got, between(x.least, x.most))
		}
	}
	return nil
}

func between(least, most int) string {
	if least == math.MinInt {
		return fmt.Sprintf("at most %d", most)
	}
	return fmt.Sprintf("from %d to %d", least, most)
}
