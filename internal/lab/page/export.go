package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"estab/internal/lab"
	"estab/internal/trace"
)

// File is what an experiment is exported as.
type File struct {
	Name string `json:"name"`
	Type string `json:"type"` // MIME
	Data []byte `json:"-"`
}

// Export runs an experiment and writes the run as a file: pcapng, svg, json,
// text, or script-a or script-b, which is what a host did and saw in the
// language of packetdrill; script-a2 is that of A in the second world.
func (e *Session) Export(kind string, x *Experiment) (*File, error) {
	s, p, err := x.read()
	if err != nil {
		return nil, err
	}
	if kind == "json" {
		return e.exportJSON(x)
	}
	r, err := s.Play(p)
	if err != nil {
		return nil, err
	}
	lang := x.Lang
	if lang == "" {
		lang = lab.English
	}
	st := trace.Style{Width: 80, Words: lab.Words(lang)}
	if s.Letters {
		st.Numbers = trace.Textbook
	}
	var b bytes.Buffer
	f := &File{}
	kind, world := worldOf(kind)
	if world >= len(r.Plays) {
		return nil, lab.BadLink(kind)
	}
	switch kind {
	case "script-a", "script-b":
		host := int(kind[len(kind)-1] - 'a')
		f.Name, f.Type, err = fmt.Sprintf("%s-%d%c.pkt", s.Name, world+1, 'a'+host), "text/plain;charset=utf-8", r.WriteScript(&b, r.Plays[world], host)
	case "pcapng":
		f.Name, f.Type, err = s.Name+".pcapng", "application/vnd.tcpdump.pcap", r.WriteCapture(&b)
	case "svg":
		f.Name, f.Type, err = s.Name+".svg", "image/svg+xml", r.WriteSVG(&b, lang, st)
	case "text":
		f.Name, f.Type, err = s.Name+".txt", "text/plain;charset=utf-8", writeText(&b, r, lang, st)
	default:
		return nil, lab.BadLink(kind)
	}
	f.Data = b.Bytes()
	return f, err
}

// worldOf takes the number of a world off a kind.
func worldOf(kind string) (bare string, world int) {
	bare = strings.TrimRight(kind, "0123456789")
	if n, err := strconv.Atoi(kind[len(bare):]); err == nil && n > 0 {
		return bare, n - 1
	}
	return kind, 0
}

func (e *Session) exportJSON(x *Experiment) (*File, error) {
	r, err := e.Run(x)
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(r, "", " ")
	return &File{x.Scenario + ".json", "application/json", b}, err
}

// writeText writes the ladders with the story between their rows.
func writeText(b *bytes.Buffer, r *lab.Run, lang lab.Lang, st trace.Style) error {
	b.WriteString(strings.Join(trace.Wrap(r.Scenario.Title.In(lang), 80), "\n") + "\n")
	for _, p := range r.Plays {
		if name := p.Name.In(lang); name != "" {
			b.WriteString("\n" + name + "\n")
		}
		b.WriteString("\n")
		if err := r.Ladder(p, lang).Write(b, st); err != nil {
			return err
		}
	}
	return nil
}
