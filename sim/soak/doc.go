// Package soak runs random worlds, one a seed, and judges each: two hosts, a
// path between them that may be as bad as it likes, programs at both ends that
// send, stall, close and abort at random, crashes, partitions, segments held
// back, segments forged by a third party. A world is drawn as a value, [Spec],
// so that one that fails can be made smaller until only what matters is left.
//
// What is asked of each world stands in judge.go; RFC 9293 §3.6 and §3.10.7 is
// what to read first.
//
// This package is experimental: its API may change without notice.
package soak
