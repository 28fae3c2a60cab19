package trace

import (
	"io"
	"strconv"
	"strings"
)

// Socket is a connection or a listener as a line of ss.
type Socket struct {
	State        string // as the RFC calls it; ss's short form is used
	RecvQ, SendQ int    // bytes, or connections of a listener
	Local, Peer  string
	Timer        string  // "on,200ms,0"
	Info         []Field // what follows below the line
}

// Field is a word of ss's details: "name:value", or a bare word.
type Field struct{ Name, Value string }

// WriteSockets writes a table in the manner of "ss -tin". Details are
// wrapped at so many columns; 0: 80.
func WriteSockets(w io.Writer, columns int, sockets []Socket) error {
	if columns == 0 {
		columns = 80
	}
	rows := [][]string{{"State", "Recv-Q", "Send-Q", "Local Address:Port", "Peer Address:Port", ""}}
	for _, s := range sockets {
		timer := ""
		if s.Timer != "" {
			timer = "timer:(" + s.Timer + ")"
		}
		rows = append(rows, []string{ssState(s.State), strconv.Itoa(s.RecvQ), strconv.Itoa(s.SendQ), s.Local, s.Peer, timer})
	}
	var widths [6]int
	for _, r := range rows {
		for i, c := range r {
			widths[i] = max(widths[i], width(c))
		}
	}
	var b strings.Builder
	for i, r := range rows {
		line := ""
		for j, c := range r {
			line += padRight(c, widths[j]) + " "
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if i > 0 {
			writeFields(&b, columns, sockets[i-1].Info)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// indent is where ss's details begin.
const indent = "     "

func writeFields(b *strings.Builder, columns int, fields []Field) {
	var words []string
	for _, f := range fields {
		w := f.Name
		if f.Value != "" {
			if w != "" {
				w += ":"
			}
			w += f.Value
		}
		words = append(words, w)
	}
	for _, line := range fill(nil, columns-len(indent), words) {
		b.WriteString(indent + line + "\n")
	}
}

// ssState is the state as ss abbreviates it.
func ssState(s string) string {
	switch s {
	case "ESTABLISHED":
		return "ESTAB"
	case "SYN-RECEIVED":
		return "SYN-RECV"
	case "CLOSED":
		return "UNCONN"
	}
	return s
}
