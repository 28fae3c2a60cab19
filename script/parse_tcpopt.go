package script

import (
	"encoding/hex"
	"strconv"
)

// tcpOptions parses <...>, <> or a list of TCP options.
func (p *parser) tcpOptions() TCPOptions {
	opts := TCPOptions{Present: true}
	p.next() // "<"
	if p.accept('>') {
		return opts
	}
	if p.is(tokEllipsis) {
		p.next()
		opts.Any = true
		p.want('>', " after <...")
		return opts
	}
	for {
		opts.List = append(opts.List, p.tcpOption())
		if !p.accept(',') {
			break
		}
	}
	p.want('>', " or ',' after a TCP option")
	return opts
}

func (p *parser) tcpOption() TCPOption {
	p.node()
	o := TCPOption{Pos: p.tok.pos}
	if p.is(tokInt) || p.is(tokHex) {
		o.Kind = OptRaw
		o.Number = uint8(p.number("the number of a TCP option", 255))
		o.Data = p.optionData()
		return o
	}
	name := p.word("a TCP option")
	switch name {
	case "eol":
		o.Kind = OptEOL
	case "nop":
		o.Kind = OptNOP
	case "sackOK":
		o.Kind = OptSACKOK
	case "mss":
		o.Kind = OptMSS
		o.Value = p.field("a segment size after mss", 65535)
	case "wscale":
		o.Kind = OptWScale
		o.Value = p.field("a shift count after wscale", 255)
	case "sack":
		o.Kind = OptSACK
		o.Blocks = p.sackBlocks()
	case "TS":
		o.Kind = OptTS
		p.timestamps(&o)
	case "FO":
		o.Kind = OptFO
		p.cookie(&o)
	case "FOEXP":
		o.Kind = OptFOExp
		p.cookie(&o)
	default:
		o.Name = name
		o.Args = p.optionArgs()
	}
	return o
}

// timestamps parses "val 1 ecr 2".
func (p *parser) timestamps(o *TCPOption) {
	for _, f := range []struct {
		name string
		to   *Field
	}{{"val", &o.Value}, {"ecr", &o.Echo}} {
		if !p.isWord(f.name) {
			p.expected(strconv.Quote(f.name) + " (TS val 1 ecr 2)")
			return
		}
		p.namedField(f.to, 1<<32-1)
	}
}

func (p *parser) sackBlocks() []SACKBlock {
	var blocks []SACKBlock
	for {
		p.node()
		var b SACKBlock
		b.Left = p.number("a sequence number in a SACK block", 1<<32-1)
		p.want(':', " in a SACK block")
		b.Right = p.number("a sequence number in a SACK block", 1<<32-1)
		blocks = append(blocks, b)
		if !p.is(tokInt) || p.err != nil {
			return blocks
		}
	}
}

// cookie parses a Fast Open cookie: digits, "...", the name of a symbol that
// packetdrill's -D defines, or nothing, which asks for a cookie.
func (p *parser) cookie(o *TCPOption) {
	switch {
	case p.is(tokEllipsis):
		p.next()
		o.AnyTag = true
	case p.is(tokWord) && run(p.tok.text, isHexDigit) < len(p.tok.text):
		o.Symbol = p.tok.text
		p.next()
	default:
		o.Data = p.optionData()
	}
}

// optionData parses hexadecimal digits, in one or several groups of whole
// bytes, with or without 0x; none at all is no data.
func (p *parser) optionData() []byte {
	var data []byte
	for p.is(tokInt) || p.is(tokHex) || p.is(tokWord) {
		p.node()
		digits := p.tok.text
		if p.is(tokHex) {
			digits = digits[2:]
		}
		b, err := hex.DecodeString(digits)
		if err != nil {
			p.fail(p.tok.pos, "expected whole bytes in hexadecimal, found %q", clip(p.tok.text))
			return nil
		}
		data = append(data, b...)
		p.next()
	}
	return data
}

// optionArgs takes what follows the name of an option that is not known here,
// up to a "," or ">" outside brackets.
func (p *parser) optionArgs() []string {
	var args []string
	var open int
	for !p.is(tokEOF) {
		switch {
		case open == 0 && (p.isPunct(',') || p.isPunct('>')):
			return args
		case p.isPunct('(') || p.isPunct('[') || p.isPunct('{'):
			open++
		case p.isPunct(')') || p.isPunct(']') || p.isPunct('}'):
			open--
		case p.is(tokCommand) || p.is(tokCode) || p.is(tokOption) || p.is(tokDirective):
			p.expected("the end of the TCP options")
			return nil
		}
		if open < 0 {
			p.expected("',' or '>' after a TCP option")
			return nil
		}
		p.node()
		args = append(args, p.tok.text)
		p.next()
	}
	p.expected("'>' after the TCP options")
	return args
}
