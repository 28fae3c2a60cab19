package tun

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"

	"estab/link"
)

// Config describes a device. The zero Config is one that the kernel names, with
// the kernel's MTU and no address.
type Config struct {
	// Name of the interface, at most 15 bytes; "%d" in it becomes a number.
	// Empty: tun0, tun1, …
	Name string

	// MTU in bytes, from 68 (IPv6: 1280) to 65535. 0 leaves it as it is, 1500
	// on a new interface.
	MTU int

	// Addrs are the kernel's own addresses on the interface. Packets for the
	// other addresses of each prefix are routed to us.
	Addrs []netip.Prefix
}

// batchSize is how many packets are read, or written, before anybody else gets
// a turn.
const batchSize = 64

// device is the file that stands for one queue of an interface.
type device interface {
	// read waits for a packet and then takes what is there: up to len(pkts)
	// packets, into the slabs of pkts, which it makes where they are missing.
	read(pkts []*link.Packet) (n int, err error)
	// write hands packets to the kernel. It returns how many the kernel did
	// not take. It doesn't wait.
	write(pkts []*link.Packet) (lost int)
	// lost is how many packets the kernel had for us and found the queue in
	// which they wait for read full. After close it is what it was.
	lost() uint64
	// close makes read return.
	close() error
}

// Device is a link to the kernel. One goroutine reads it, from Attach until
// Close.
type Device struct {
	dev  device
	name string
	mtu  int
	tx   txQueue

	mu     sync.Mutex
	recv   link.Receiver
	closed bool
	err    error         // why the reader has stopped
	done   chan struct{} // closed when the reader has ended

	packets, bytes atomic.Uint64 // that arrived
}

// Errors of Attach.
var (
	errNoReceiver = errors.New("tun: Attach: no receiver")
	errAttached   = errors.New("tun: Attach: a receiver is attached already")
)

// Open makes an interface, or opens one that exists, gives it what the
// configuration asks for, and brings it up. It lives until Close, unless
// somebody has made it persistent. An error says what is missing: a
// permission, a command, a module.
func Open(cfg Config) (*Device, error) {
	if cfg.MTU != 0 && (cfg.MTU < link.MinMTU || cfg.MTU > link.MaxPacket) {
		return nil, fmt.Errorf("tun: MTU %d: must be from %d to %d, or 0", cfg.MTU, link.MinMTU, link.MaxPacket)
	}
	for _, p := range cfg.Addrs {
		if !p.IsValid() {
			return nil, fmt.Errorf("tun: address %v: not a prefix such as 10.0.0.1/24", p)
		}
	}
	dev, name, mtu, err := open(cfg)
	if err != nil {
		return nil, err
	}
	return newDevice(dev, name, mtu), nil
}

func newDevice(dev device, name string, mtu int) *Device {
	d := &Device{dev: dev, name: name, mtu: mtu, done: make(chan struct{})}
	d.tx.dev = d
	return d
}

// Name is the interface's name.
func (d *Device) Name() string { return d.name }

// Caps is part of link.Link. The MTU is what it was when the device was
// opened.
func (d *Device) Caps() link.Caps { return link.Caps{MTU: d.mtu} }

// Attach is part of link.Link. It starts the reader.
func (d *Device) Attach(r link.Receiver) error {
	if r == nil {
		return errNoReceiver
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	switch {
	case d.closed:
		return net.ErrClosed
	case d.recv != nil:
		return errAttached
	}
	d.recv = r
	go d.receive(r)
	return nil
}

// receive is the reader.
func (d *Device) receive(r link.Receiver) {
	defer close(d.done)
	var w link.Work
	pkts := make([]*link.Packet, batchSize)
	for {
		n, err := d.dev.read(pkts)
		if n > 0 {
			bytes := 0
			for _, p := range pkts[:n] {
				bytes += p.Len()
			}
			d.packets.Add(uint64(n))
			d.bytes.Add(uint64(bytes))
			r.Deliver(&w, pkts[:n])
			w.Run()
		}
		if err != nil {
			d.stopped(err)
			return
		}
	}
}

// stopped notes why the reader ends.
func (d *Device) stopped(err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		err = net.ErrClosed
	} else {
		err = fmt.Errorf("tun: read %s: %w", d.name, err)
	}
	d.err = err
}

// Err is nil as long as packets can arrive; then it says why they no longer
// do: net.ErrClosed after Close, another error if somebody has deleted the
// interface.
func (d *Device) Err() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return net.ErrClosed
	}
	return d.err
}

// Enqueue is part of link.Link. Packets that the kernel doesn't take when
// their turn has come, and those larger than the MTU, are dropped and counted.
func (d *Device) Enqueue(w *link.Work, pkts []*link.Packet) int { return d.tx.push(w, pkts) }

// Close is part of link.Link. It waits until the reader has ended, so it must
// not be called by what the reader runs: the receiver's Deliver, and Runners.
func (d *Device) Close() error {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil
	}
	d.closed = true
	reading := d.recv != nil
	d.mu.Unlock()
	d.tx.close()
	err := d.dev.close()
	if reading {
		<-d.done
	}
	return err
}

// Stats are the counters. Dropped are, of what we sent, the packets that the
// kernel refused; of what came, those that the kernel lost because the device's
// queue (txqueuelen) was full: they count as packets, their bytes are not
// known.
func (d *Device) Stats() link.Stats {
	lost := d.dev.lost()
	return link.Stats{
		Out: d.tx.stats(),
		In:  link.Counts{Packets: d.packets.Load() + lost, Bytes: d.bytes.Load(), Dropped: lost},
	}
}

// receiver is who is attached, or nil.
func (d *Device) receiver() link.Receiver {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.recv
}
