package script

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// realSystem is a machine as the system under test, in real time.
type realSystem struct {
	p       *player
	m       Machine
	socks   map[int]*realSock // by the script's numbers
	opening []*realSock       // connect was called, their SYN is yet to be seen
	acted   time.Duration     // when the script last did something
}

// maxReal is how long a script may be played in real time.
const maxReal = 5 * time.Minute

// Real time shows that nothing happened by passing.
const (
	realLookAhead = 2 * time.Second  // beyond the stated time
	anyLookAhead  = 30 * time.Second // for what may happen at any time
)

func newRealSystem(p *player, m Machine) *realSystem {
	return &realSystem{p: p, m: m, socks: map[int]*realSock{}}
}

func (r *realSystem) name() string { return "kernel" }

func (r *realSystem) now() time.Duration { return r.m.Now().Truncate(time.Microsecond) }

func (r *realSystem) fail(err error) {
	if r.p.failure == nil {
		r.p.failure = r.p.failAt(r.p.line, "the machine: %v", err)
	}
}

func (r *realSystem) next(by time.Duration) bool {
	p := r.p
	if now := r.m.Now(); now > maxReal || p.packets > maxPackets {
		if p.failure == nil {
			p.failure = p.failAt(p.line, "the script costs too much: %s seconds have passed, %d packets left", seconds(now), p.packets)
		}
		return true
	}
	h, ok, err := r.m.Wait(by)
	switch {
	case err != nil:
		r.fail(err)
		return true
	case !ok:
		return false
	}
	if h.Packet != nil {
		r.left(h)
	}
	p.wake()
	return true
}

// left takes a packet that left the machine.
func (r *realSystem) left(h Happening) {
	p := r.p
	if h.At-r.acted > max(p.set.tolerance, packetdrillTolerance) {
		p.because(causeTimer)
	}
	pkt := p.sent(h.Packet, h.At.Truncate(time.Microsecond))
	if pkt == nil || pkt.flow == nil || pkt.flow.real != nil || pkt.flags&(FlagSYN|FlagACK|FlagRST) != FlagSYN {
		return
	}
	i := slices.IndexFunc(r.opening, func(s *realSock) bool { return !s.bound || s.port == pkt.src })
	if i < 0 {
		return
	}
	s := r.opening[i]
	r.opening = slices.Delete(r.opening, i, i+1)
	s.join(pkt.flow)
	if p.cur == nil || p.curSock == &s.socket {
		p.cur = pkt.flow
	}
}

func (r *realSystem) rest(time.Duration) {}

func (r *realSystem) input(packet []byte) {
	p := r.p
	if err := r.m.Inject(packet); err != nil {
		r.fail(err)
	}
	r.acted = r.now()
	late := r.acted - p.arrived
	switch {
	case late <= p.set.tolerance:
	case p.watch != nil:
		p.watch.busy = true
	case p.failure == nil:
		p.failure = p.failAt(p.line, "this arrived %s s too late: the computer is too busy", seconds(late))
		p.failure.Late = &late
	}
}

func (r *realSystem) flush() {}

// begin makes the settings with which every script begins.
func (r *realSystem) begin() error {
	for _, a := range linuxInitialSettings {
		if err := r.m.Set(a.name, a.value); err != nil {
			return fmt.Errorf("%s=%s: %w", a.name, a.value, err)
		}
	}
	return nil
}

func (r *realSystem) setUp(c *Command) (done bool, err *Error) {
	for _, cmd := range r.p.plan.commands[c] {
		err := r.apply(&cmd)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return false, r.p.script.Errorf(NotSupported, cmd.pos, "this machine has no such setting: %v", err)
		case err != nil:
			return false, r.p.script.Errorf(NotSupported, cmd.pos, "this machine does not allow it: %v", err)
		}
	}
	return true, nil
}

func (r *realSystem) command(c *Command) *failed {
	for _, cmd := range r.p.plan.commands[c] {
		if err := r.apply(&cmd); err != nil {
			return r.p.failAt(cmd.pos, "%v", err)
		}
		if cmd.sleep > 0 {
			if f := r.p.wait(r.m.Now() + cmd.sleep); f != nil {
				return f
			}
		}
	}
	r.acted = r.now()
	return nil
}

// apply makes the settings of a command.
func (r *realSystem) apply(c *shellCommand) error {
	sets := c.sets
	if c.defaults {
		sets = linuxDefaultSettings[:]
	}
	for _, a := range sets {
		if err := r.m.Set(sysctlName(a.name), a.value); err != nil {
			return fmt.Errorf("%s=%s: %w", a.name, a.value, err)
		}
	}
	if c.queue != "" {
		if err := r.m.Queue(c.queue); err != nil {
			return fmt.Errorf("the queueing discipline %s: %w", c.queue, err)
		}
	}
	for _, feature := range [...]string{"tso", "gso"} {
		if on, ok := c.offload[feature]; ok {
			if err := r.m.Offload(feature, on); err != nil {
				return fmt.Errorf("%s: %w", feature, err)
			}
		}
	}
	return nil
}

// linuxInitialSettings are those of a network namespace that Linux copies from
// the machine's: here they are as Linux was built, so that a script means the
// same on every machine.
var linuxInitialSettings = [...]assignment{
	{"net.ipv4.tcp_congestion_control", "cubic"},
	{"net.ipv4.tcp_rmem", "4096 131072 6291456"},
	{"net.ipv4.tcp_wmem", "4096 16384 4194304"},
}

// linuxDefaultSettings are those of google's common/defaults.sh that concern
// what scripts can see.
var linuxDefaultSettings = [...]assignment{
	{"net.ipv4.tcp_rmem", "4096 540000 15728640"},
	{"net.ipv4.tcp_wmem", "4096 262144 4194304"},
	{"net.ipv4.tcp_timestamps", "1"},
	{"net.ipv4.tcp_syn_retries", "5"},
	{"net.ipv4.tcp_synack_retries", "5"},
	{"net.ipv4.tcp_frto", "2"},
	{"net.ipv4.tcp_sack", "1"},
	{"net.ipv4.tcp_dsack", "1"},
	{"net.ipv4.tcp_reordering", "3"},
	{"net.ipv4.tcp_congestion_control", "cubic"},
	{"net.ipv4.tcp_slow_start_after_idle", "0"},
	{"net.ipv4.tcp_early_retrans", "4"},
	{"net.ipv4.tcp_recovery", "1"},
	{"net.ipv4.tcp_tso_win_divisor", "3"},
	{"net.ipv4.tcp_ecn", "0"},
	{"net.ipv4.tcp_pacing_ss_ratio", "200"},
	{"net.ipv4.tcp_pacing_ca_ratio", "120"},
	{"net.ipv4.tcp_notsent_lowat", "4294967295"},
	{"net.ipv4.tcp_syncookies", "1"},
}
