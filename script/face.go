package script

// face is whose sockets the script expects: what system calls return differs
// between systems, and so do a few things that no RFC settles.
type face uint8

const (
	faceEstab   face = iota // a script of ours: the engine's own numbers
	faceLinux               // google's packetdrill and its suite
	faceFreeBSD             // FreeBSD's
)

// The values of O_NONBLOCK.
const (
	nonblockLinux   = 0x800
	nonblockFreeBSD = 0x4
)

func (f face) nonblock() int64 {
	if f == faceFreeBSD {
		return nonblockFreeBSD
	}
	return nonblockLinux
}

// backlog is how many connections may wait for accept.
func (f face) backlog(n int) int {
	switch n = max(n, 0); f {
	case faceFreeBSD:
		return 3*n/2 + 1
	case faceLinux:
		return n + 1 // "more than the backlog" is full
	}
	return max(n, 1)
}
