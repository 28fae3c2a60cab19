// Package netem is a model of a bad path: what becomes of a packet that is
// lost, delayed, doubled, damaged, overtaken or queued, as a pure function of
// a seed, the time and the packets before it. It reads no clock, draws on no
// randomness but its seed and computes in integers, so that the same calls
// give the same fates on every machine.
//
// The grammar and the meaning are those of Linux's netem (tc-netem(8)):
//
//	limit PACKETS
//	delay TIME [JITTER [CORRELATION]] [distribution uniform|normal|pareto|paretonormal]
//	loss [random] PERCENT [CORRELATION]
//	loss state P13 [P31 [P32 [P23 [P14]]]]
//	loss gemodel P [R [1-H [1-K]]]
//	duplicate PERCENT [CORRELATION]
//	corrupt PERCENT [CORRELATION]
//	reorder PERCENT [CORRELATION] [gap DISTANCE]
//	rate RATE [PACKETOVERHEAD [CELLSIZE [CELLOVERHEAD]]]
//
// and one word of our own, for a path that swallows large packets silently:
//
//	mtu BYTES
//
// TIME is a number with s, ms, us or ns (none: us); PERCENT and CORRELATION a
// number from 0 to 100 with or without %; RATE a number with bit, kbit, mbit,
// gbit, tbit (bits a second, decimal), kibit … (binary), bps, kbps … (bytes a
// second), none: bits a second. Refused, because nothing here does it: slot,
// ecn, seed.
//
// What differs from the kernel: times are nanoseconds, not ticks; a draw
// depends on the packet's number and its use only, so that changing the loss
// leaves the delays of what survives as they were; a duplicate is judged with
// draws of its own that leave no trace in the correlations and in the loss
// model; the distributions are computed, not read from tables of 4096 entries.
package netem
