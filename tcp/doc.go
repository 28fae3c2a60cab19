// Package tcp is the engine: TCP (RFC 9293) without I/O.
//
// Segments, user calls and the time go in; segments, readiness and the next
// deadline come out. The engine starts no goroutine, takes no lock, reads no
// clock and draws no randomness of its own: the same configuration, the same
// calls and the same times give the same segments, on every machine. Whoever
// runs it (a host with sockets, a simulator, a script, a browser) is a shell.
//
// Five verbs move an [Engine]: [Engine.Input] hands it a segment,
// the user calls of RFC 9293 §3.10 ([Engine.Open], [Engine.Listen],
// [Engine.Send], [Engine.Receive], [Engine.Shutdown], [Engine.Abort],
// [Engine.Status]) do what an application asks, [Engine.Advance] runs the
// timers that are due, [Engine.NextDeadline] says when the next will be, and
// [Engine.Output] gives out what is to be sent. [Engine.NextReady] names the
// connections whose readiness changed.
//
// Read RFC 9293 first. Its sections are this package's files: §3.10.1 to
// §3.10.6 are user_open.go, user_send.go, user_receive.go, user_close.go,
// user_abort.go and user_status.go; §3.10.7 is arrives.go with
// arrives_closed.go, arrives_listen.go, arrives_synsent.go and
// arrives_sync.go; §3.10.8 is timer.go.
//
// This package is experimental: its API may change without notice. Package
// estab is the one with a promise.
package tcp
