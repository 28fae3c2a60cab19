package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
	"unicode/utf8"
)

// Interface describes one place at which packets are captured.
type Interface struct {
	Name        string
	Description string
}

// Direction says which way a captured packet went, seen from its interface.
type Direction uint8

// The directions, in the values of epb_flags.
const (
	Inbound  Direction = 1
	Outbound Direction = 2
)

// Pcapng writes a capture in the format pcapng (draft-ietf-opsawg-pcapng):
// IP packets without a header below IP, times in nanoseconds, and with every
// packet as many comments as one likes. Each block is one Write; nothing is
// held back.
type Pcapng struct {
	w          io.Writer
	buf        []byte
	interfaces int
}

// The numbers of pcapng.
const (
	blockSection   = 0x0a0d0d0a
	blockInterface = 1
	blockPacket    = 6
	byteOrderMagic = 0x1a2b3c4d
	linktypeRaw    = 101 // LINKTYPE_RAW: IPv4 or IPv6, by the first four bits

	optEnd         = 0
	optComment     = 1
	optIfName      = 2
	optIfDesc      = 3
	optShbUserAppl = 4
	optIfTsresol   = 9
	optEpbFlags    = 2
)

var errNoInterface = errors.New("trace: a capture needs an interface")

// NewPcapng begins a capture at the given interfaces, which packets name by
// their index. program says who made it.
func NewPcapng(w io.Writer, program string, interfaces ...Interface) (*Pcapng, error) {
	if len(interfaces) == 0 {
		return nil, errNoInterface
	}
	p := &Pcapng{w: w, interfaces: len(interfaces)}
	p.begin(blockSection)
	p.u32(byteOrderMagic)
	p.u16(1) // version 1.0
	p.u16(0)
	p.u64(1<<64 - 1) // the section's length is not known
	p.option(optShbUserAppl, program)
	p.endOptions()
	if err := p.end(); err != nil {
		return nil, err
	}
	for _, i := range interfaces {
		p.begin(blockInterface)
		p.u16(linktypeRaw)
		p.u16(0)
		p.u32(0) // no limit on the length of packets
		p.option(optIfName, i.Name)
		p.option(optIfDesc, i.Description)
		p.option(optIfTsresol, "\x09") // 10^-9 s
		p.endOptions()
		if err := p.end(); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Packet writes one packet. Empty comments are left out.
func (p *Pcapng) Packet(iface int, at time.Time, d Direction, data []byte, comments ...string) error {
	if iface < 0 || iface >= p.interfaces {
		return fmt.Errorf("trace: interface %d of %d", iface, p.interfaces)
	}
	p.begin(blockPacket)
	p.u32(uint32(iface))
	ns := uint64(at.UnixNano())
	p.u32(uint32(ns >> 32))
	p.u32(uint32(ns))
	p.u32(uint32(len(data)))
	p.u32(uint32(len(data)))
	p.buf = append(p.buf, data...)
	p.pad()
	for _, c := range comments {
		p.option(optComment, c)
	}
	p.option(optEpbFlags, string([]byte{byte(d) & 3, 0, 0, 0}))
	p.endOptions()
	return p.end()
}

// begin starts a block; its length is filled in by end.
func (p *Pcapng) begin(kind uint32) {
	p.buf = p.buf[:0]
	p.u32(kind)
	p.u32(0)
}

// end writes the block.
func (p *Pcapng) end() error {
	n := uint32(len(p.buf) + 4)
	p.u32(n)
	binary.LittleEndian.PutUint32(p.buf[4:], n)
	_, err := p.w.Write(p.buf)
	return err
}

func (p *Pcapng) u16(v uint16) { p.buf = binary.LittleEndian.AppendUint16(p.buf, v) }
func (p *Pcapng) u32(v uint32) { p.buf = binary.LittleEndian.AppendUint32(p.buf, v) }
func (p *Pcapng) u64(v uint64) { p.buf = binary.LittleEndian.AppendUint64(p.buf, v) }

// pad fills up to a multiple of four bytes.
func (p *Pcapng) pad() {
	for len(p.buf)%4 != 0 {
		p.buf = append(p.buf, 0)
	}
}

// maxOption is the longest value of an option, in bytes.
const maxOption = 65535

// option adds an option; an empty one is left out. Text that is too long is
// cut at a character.
func (p *Pcapng) option(code uint16, value string) {
	if value == "" {
		return
	}
	if len(value) > maxOption {
		n := maxOption
		for n > maxOption-utf8.UTFMax && !utf8.RuneStart(value[n]) {
			n--
		}
		value = value[:n]
	}
	p.u16(code)
	p.u16(uint16(len(value)))
	p.buf = append(p.buf, value...)
	p.pad()
}

func (p *Pcapng) endOptions() {
	p.u16(optEnd)
	p.u16(0)
}
