package script

import (
	"net/netip"
	"time"
)

// Machine is a computer whose TCP a script is played against instead of the
// engine: real sockets, real packets, real time. The package script/kernel has
// one that is this computer's own Linux kernel. Everything about it is done by
// one goroutine.
type Machine interface {
	// Now is the time since the script began. The first call begins it.
	Now() time.Duration
	// Inject lets an IP packet arrive.
	Inject(packet []byte) error
	// Begin starts a system call. Done is set when Begin returns if the call has
	// ended already, else a Happening tells of its end. There is one at a time.
	Begin(c *SystemCall)
	// Wait waits for the next thing that happens by itself, at most until a time.
	// ok is false if nothing did.
	Wait(until time.Duration) (h Happening, ok bool, err error)
	// Set sets a kernel setting of the machine, named with dots: net.ipv4.tcp_sack.
	// The error wraps fs.ErrNotExist if it has none of that name.
	Set(name, value string) error
	// Offload turns a feature of the network card on or off: "tso", "gso".
	Offload(feature string, on bool) error
	// Queue sets the queueing discipline of the network card: "fq". The error wraps
	// fs.ErrNotExist if the machine has none of that name.
	Queue(kind string) error
	// State is that of a connection by its ports, also when no program holds it, as
	// the kernel numbers states (TCP_ESTABLISHED is 1); 0: there is none.
	State(local, remote uint16) (int, error)
}

// MachineConfig says what machine a script needs. Both addresses come with their
// networks; packets for the remote one leave the machine.
type MachineConfig struct {
	Local, Remote netip.Prefix
	MTU           int
}

// Happening is what Machine.Wait tells of.
type Happening struct {
	Packet []byte        // an IP packet that left, nil if none did
	At     time.Duration // when
	Ended  *SystemCall   // the call that has ended, nil if none has
}

// SystemCall is a system call of the machine's, with numbers as that of Linux has
// them. Which fields it uses depends on its name.
type SystemCall struct {
	Name   string // as in the manual; read and recvfrom stand for all that receive, write and sendto for all that send
	FD     int    // of the machine
	Args   [3]int // domain, type and protocol; a backlog; flags; a command and its value; level and option; a timeout
	Addr   netip.AddrPort
	Data   []byte // what is sent; the value of an option
	Buf    []byte // what is received; the value of an option
	Null   bool   // in place of the buffer stands the null pointer
	Length int    // of a null buffer
	OOB    []byte // for control messages
	Poll   []PollFD

	// What became of it.
	Done     bool
	Ended    time.Duration
	N        int
	Errno    string // "EAGAIN", empty if it succeeded
	Flags    int    // msg_flags
	OOBCount int    // bytes of control messages
}

// PollFD is what poll asks of a socket, and what it says.
type PollFD struct {
	FD              int
	Events, Revents int16
}
