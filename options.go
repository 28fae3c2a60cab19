package estab

import (
	"net"
	"time"

	"estab/tcp"
)

// SetLinger says what Close does with data that is not yet acknowledged. sec <
// 0, the default: it is delivered in the background. sec == 0: it is discarded
// and the peer gets a RST. sec > 0: it is delivered in the background, but
// what is left after that many seconds is discarded. Close never waits.
func (c *Conn) SetLinger(sec int) error {
	return c.apply(c.opError, "set", "setsockopt", func(tcp.Time) tcp.Error {
		c.linger = int32(min(max(sec, -1), 1<<31-1))
		return 0
	})
}

// SetNoDelay controls Nagle's algorithm (RFC 1122 §4.2.3.4): false lets small
// segments wait for an acknowledgement. The default is true, as in package
// net.
func (c *Conn) SetNoDelay(noDelay bool) error {
	return c.apply(c.opError, "set", "setsockopt", func(now tcp.Time) tcp.Error {
		return c.sh.tcp.SetNoDelay(now, c.id, noDelay)
	})
}

// SetReadBuffer sets the size of the receive buffer, which then no longer
// grows by itself. A window that was advertised is honoured all the same.
func (c *Conn) SetReadBuffer(bytes int) error {
	return c.apply(c.localError, "set", "setsockopt", func(now tcp.Time) tcp.Error {
		return c.sh.tcp.SetReceiveBuffer(now, c.id, bytes)
	})
}

// SetWriteBuffer sets the size of the send buffer, which then no longer grows
// by itself.
func (c *Conn) SetWriteBuffer(bytes int) error {
	return c.apply(c.localError, "set", "setsockopt", func(now tcp.Time) tcp.Error {
		return c.sh.tcp.SetSendBuffer(now, c.id, bytes)
	})
}

// SetUserTimeout says how long sent data may stay unacknowledged before the
// connection ends with ETIMEDOUT (RFC 5482, Linux's TCP_USER_TIMEOUT). 0: about
// fifteen minutes; negative: for ever.
func (c *Conn) SetUserTimeout(d time.Duration) error {
	return c.apply(c.opError, "set", "setsockopt", func(now tcp.Time) tcp.Error {
		return c.sh.tcp.SetUserTimeout(now, c.id, d)
	})
}

// SetTOS sets the type-of-service field of the packets from now on, or their
// traffic class in IPv6: the DSCP, shifted left by two, as
// golang.org/x/net/ipv4.Conn.SetTOS takes it. The two bits of ECN are the stack's.
func (c *Conn) SetTOS(tos int) error {
	return c.apply(c.opError, "set", "setsockopt", func(now tcp.Time) tcp.Error {
		return c.sh.tcp.SetTOS(now, c.id, uint8(tos))
	})
}

// TOS is what Dialer.TOS, ListenConfig.TOS or SetTOS has set.
func (c *Conn) TOS() (int, error) {
	tos := 0
	err := c.apply(c.opError, "get", "getsockopt", func(now tcp.Time) tcp.Error {
		s, e := c.sh.tcp.Status(now, c.id)
		tos = int(s.TOS)
		return e
	})
	return tos, err
}

// SetKeepAlive turns keep-alive probes on or off.
func (c *Conn) SetKeepAlive(keepalive bool) error {
	return c.setKeepAlive(func(k *tcp.KeepAlive) { k.On = keepalive })
}

// SetKeepAlivePeriod sets the time without traffic after which probes begin.
// 0 is 15 s, a negative value leaves it as it is.
func (c *Conn) SetKeepAlivePeriod(d time.Duration) error {
	return c.setKeepAlive(func(k *tcp.KeepAlive) { setUnlessNegative(&k.Idle, d, defaultKeepAlive) })
}

// SetKeepAliveConfig sets everything about keep-alive. See
// net.KeepAliveConfig.
func (c *Conn) SetKeepAliveConfig(config net.KeepAliveConfig) error {
	return c.setKeepAlive(func(k *tcp.KeepAlive) { applyKeepAlive(k, config) })
}

func (c *Conn) setKeepAlive(change func(*tcp.KeepAlive)) error {
	return c.apply(c.opError, "set", "setsockopt", func(now tcp.Time) tcp.Error {
		k, e := c.sh.tcp.KeepAlive(c.id)
		if e != 0 {
			return e
		}
		change(&k)
		return c.sh.tcp.SetKeepAlive(now, c.id, k)
	})
}

// applyKeepAlive is the arithmetic of net.KeepAliveConfig: 0 is package net's
// default, a negative value leaves things as they are.
func applyKeepAlive(k *tcp.KeepAlive, config net.KeepAliveConfig) {
	k.On = config.Enable
	setUnlessNegative(&k.Idle, config.Idle, defaultKeepAlive)
	setUnlessNegative(&k.Interval, config.Interval, defaultKeepAlive)
	setUnlessNegative(&k.Count, config.Count, 9)
}

func setUnlessNegative[T int | time.Duration](to *T, v, zero T) {
	switch {
	case v == 0:
		*to = zero
	case v > 0:
		*to = v
	}
}

// keepAlive is what a Dialer or a ListenConfig asks for, in the way of package
// net: the configuration if it is enabled, otherwise the idle time.
func (h *Host) keepAlive(idle time.Duration, config net.KeepAliveConfig) tcp.KeepAlive {
	if !config.Enable {
		if idle == 0 {
			idle = h.cfg.KeepAlive
		}
		if idle < 0 {
			return tcp.KeepAlive{}
		}
		config = net.KeepAliveConfig{Enable: true, Idle: idle}
	}
	var k tcp.KeepAlive
	applyKeepAlive(&k, config)
	return k
}

var _ net.Conn = (*Conn)(nil)
var _ net.Listener = (*Listener)(nil)
