package tcp

import "time"

// Time is an instant in nanoseconds since an epoch of the shell's choosing.
// Only differences matter, but two: ISS and timestamps are clocks that start
// at the epoch. The engine never lets time run backwards.
type Time int64

// Never is later than every other time: the deadline of a timer that is off.
const Never Time = 1<<63 - 1

// Add returns the instant d after t; Never stays Never.
func (t Time) Add(d time.Duration) Time {
	if t == Never || d > time.Duration(Never-t) && t > 0 {
		return Never
	}
	return t + Time(d)
}

// Sub returns the duration from u to t.
func (t Time) Sub(u Time) time.Duration { return time.Duration(t - u) }
