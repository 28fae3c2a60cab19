package trace

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// block is a block of a capture, as the reader below sees it.
type block struct {
	kind    uint32
	fixed   []byte
	data    []byte
	options map[uint16][]string
}

// readPcapng reads a capture from the description of the format, not from the
// writer's code, and checks every length and all padding.
func readPcapng(b []byte) ([]block, error) {
	var blocks []block
	for len(b) > 0 {
		if len(b) < 12 {
			return nil, errors.New("less than a block at the end")
		}
		kind, n := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if n < 12 || n%4 != 0 || int(n) > len(b) {
			return nil, fmt.Errorf("block of %d bytes", n)
		}
		if again := binary.LittleEndian.Uint32(b[n-4:]); again != n {
			return nil, fmt.Errorf("lengths %d and %d differ", n, again)
		}
		bl, err := readBlock(kind, b[8:n-4])
		if err != nil {
			return nil, err
		}
		blocks = append(blocks, bl)
		b = b[n:]
	}
	return blocks, nil
}

func readBlock(kind uint32, body []byte) (block, error) {
	fixed := map[uint32]int{0x0a0d0d0a: 16, 1: 8, 6: 20}[kind]
	if fixed == 0 || len(body) < fixed {
		return block{}, fmt.Errorf("block of type %#x with %d bytes", kind, len(body))
	}
	bl := block{kind: kind, fixed: body[:fixed], options: map[uint16][]string{}}
	body = body[fixed:]
	if kind == 6 {
		n := int(binary.LittleEndian.Uint32(bl.fixed[12:]))
		padded := (n + 3) &^ 3
		if padded > len(body) || !zero(body[n:padded]) {
			return bl, errors.New("bad packet data")
		}
		bl.data, body = body[:n], body[padded:]
	}
	for len(body) > 0 {
		code, n := binary.LittleEndian.Uint16(body), int(binary.LittleEndian.Uint16(body[2:]))
		if code == 0 {
			if n != 0 || len(body) != 4 {
				return bl, errors.New("bytes behind the end of the options")
			}
			return bl, nil
		}
		padded := (n + 3) &^ 3
		if 4+padded > len(body) || !zero(body[4+n:4+padded]) {
			return bl, errors.New("bad option")
		}
		bl.options[code] = append(bl.options[code], string(body[4:4+n]))
		body = body[4+padded:]
	}
	return bl, errors.New("no end of the options")
}

func zero(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }

// chunks notes each Write.
type chunks [][]byte

func (c *chunks) Write(p []byte) (int, error) {
	*c = append(*c, bytes.Clone(p))
	return len(p), nil
}

func TestPcapng(t *testing.T) {
	var out chunks
	w, err := NewPcapng(&out, "estab", Interface{"client", "the end of 10.0.0.1"}, Interface{Name: "server"})
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 678901234, time.UTC)
	packets := [][]byte{{0x45}, {0x60, 1}, {0x45, 1, 2}, {0x45, 1, 2, 3}, {}, bytes.Repeat([]byte{7}, 65535)}
	for i, p := range packets {
		d := Outbound
		if i%2 == 1 {
			d = Inbound
		}
		err := w.Packet(i%2, at.Add(time.Duration(i)), d, p, strings.Repeat("é", i), "", "丢失")
		if err != nil {
			t.Fatal(err)
		}
	}
	if len(out) != 3+len(packets) {
		t.Errorf("%d writes for %d blocks", len(out), 3+len(packets))
	}
	blocks, err := readPcapng(bytes.Join(out, nil))
	if err != nil {
		t.Fatal(err)
	}
	section, client, server := blocks[0], blocks[1], blocks[2]
	if section.kind != 0x0a0d0d0a || section.options[4][0] != "estab" ||
		!bytes.Equal(section.fixed, []byte{0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255}) {
		t.Errorf("section: %v", section)
	}
	if !bytes.Equal(client.fixed, []byte{101, 0, 0, 0, 0, 0, 0, 0}) || client.options[2][0] != "client" ||
		client.options[3][0] != "the end of 10.0.0.1" || client.options[9][0] != "\x09" {
		t.Errorf("first interface: %v", client)
	}
	if server.options[2][0] != "server" || server.options[3] != nil {
		t.Errorf("second interface: %v", server)
	}
	for i, b := range blocks[3:] {
		f := b.fixed
		ns := uint64(binary.LittleEndian.Uint32(f[4:]))<<32 | uint64(binary.LittleEndian.Uint32(f[8:]))
		if int(f[0]) != i%2 || int64(ns) != at.Add(time.Duration(i)).UnixNano() ||
			!bytes.Equal(b.data, packets[i]) || int(binary.LittleEndian.Uint32(f[16:])) != len(packets[i]) {
			t.Errorf("packet %d: %v", i, f)
		}
		comments := []string{strings.Repeat("é", i), "丢失"}
		if i == 0 {
			comments = comments[1:]
		}
		if fmt.Sprint(b.options[1]) != fmt.Sprint(comments) {
			t.Errorf("packet %d: comments %q, want %q", i, b.options[1], comments)
		}
		if want := []byte{2, 1}[i%2]; b.options[2][0] != string([]byte{want, 0, 0, 0}) {
			t.Errorf("packet %d: flags %q", i, b.options[2])
		}
	}
}

func TestPcapngLimits(t *testing.T) {
	if _, err := NewPcapng(&chunks{}, "estab"); err == nil {
		t.Error("a capture without interfaces")
	}
	var out chunks
	w, _ := NewPcapng(&out, "", Interface{})
	for _, i := range []int{-1, 1} {
		if err := w.Packet(i, time.Now(), Inbound, nil); err == nil {
			t.Errorf("a packet at interface %d", i)
		}
	}
	// A comment too long is cut at a character: 21845 of three bytes fit.
	for _, lead := range []string{"", "a", "ab"} {
		if err := w.Packet(0, time.Time{}, Inbound, nil, lead+strings.Repeat("丢", 30000)); err != nil {
			t.Fatal(err)
		}
	}
	blocks, err := readPcapng(bytes.Join(out, nil))
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range blocks[2:] {
		c := b.options[1][0]
		if !utf8.ValidString(c) || len(c) > 65535 || len(c) < 65533 {
			t.Errorf("comment %d has %d bytes, valid: %v", i, len(c), utf8.ValidString(c))
		}
	}
}

type failing struct{}

func (failing) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestPcapngReportsErrors(t *testing.T) {
	if _, err := NewPcapng(failing{}, "estab", Interface{}); err == nil {
		t.Error("no error from a full disk")
	}
}

func TestPcapngAllocatesNothing(t *testing.T) {
	w, _ := NewPcapng(discard{}, "estab", Interface{})
	data, at := make([]byte, 1500), time.Now()
	w.Packet(0, at, Inbound, data, "a comment")
	if n := testing.AllocsPerRun(100, func() { w.Packet(0, at, Inbound, data, "a comment") }); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

type discard struct{}

func (discard) Write(p []byte) (int, error) { return len(p), nil }
