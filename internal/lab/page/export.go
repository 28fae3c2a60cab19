package page

import (
	"bytes"
	"encoding/json"
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
// text, or script, which is the packetdrill language.
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
	switch kind {
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
