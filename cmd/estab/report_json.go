package main

import (
	"encoding/hex"
	"encoding/json"
	"io"
	"time"

	"estab/internal/trace"
)

// The JSON of a run. Times are in seconds since the beginning of the demo, or
// durations in seconds; sizes are in bytes.
type (
	jsonRun struct {
		URL       string         `json:"url"`
		Bytes     int64          `json:"bytes"`
		Seconds   float64        `json:"seconds"`
		BitRate   float64        `json:"bitsPerSecond"`
		Connect   float64        `json:"connectSeconds"`
		SHA256    jsonHash       `json:"sha256"`
		Path      string         `json:"path"`
		Seed      uint64         `json:"seed"`
		Ends      [2]jsonEnd     `json:"ends"`
		TimeWaits []jsonTimeWait `json:"timeWait"`
		Steps     []jsonStep     `json:"steps"`
	}
	jsonHash struct {
		Sent     string `json:"sent"`
		Received string `json:"received"`
		Equal    bool   `json:"equal"`
	}
	jsonEnd struct {
		Name   string       `json:"name"`
		Socket string       `json:"socket"`
		States []jsonState  `json:"states"`
		Sent   trace.Totals `json:"sent"`
		Info   any          `json:"info"`
	}
	jsonState struct {
		At    float64 `json:"at"`
		State string  `json:"state"`
	}
	jsonTimeWait struct {
		Holder  string    `json:"holder"`
		Seconds float64   `json:"seconds"`
		Since   float64   `json:"since"`
		Until   float64   `json:"until"`
		UntilAt time.Time `json:"untilAt"`
		Ended   *float64  `json:"ended,omitempty"`
	}
	jsonStep struct {
		At      float64     `json:"at"`
		Kind    string      `json:"kind"` // segment, note, fold
		From    string      `json:"from,omitempty"`
		Flags   string      `json:"flags,omitempty"`
		Seq     *uint32     `json:"seq,omitempty"`
		Ack     *uint32     `json:"ack,omitempty"`
		RelSeq  *uint64     `json:"relativeSeq,omitempty"`
		RelAck  *uint64     `json:"relativeAck,omitempty"`
		Len     uint32      `json:"len,omitempty"`
		Window  *uint64     `json:"window,omitempty"`
		Options []string    `json:"options,omitempty"`
		Marks   []string    `json:"marks,omitempty"`
		Client  []string    `json:"clientStates,omitempty"`
		Server  []string    `json:"serverStates,omitempty"`
		Notes   []string    `json:"notes,omitempty"`
		Fold    *trace.Fold `json:"fold,omitempty"`
	}
)

func endName(s trace.Side) string {
	if s == trace.Left {
		return "client"
	}
	return "server"
}

// writeJSON tells the run as one JSON object.
func (r *demoRun) writeJSON(w io.Writer) error {
	j := jsonRun{
		URL: r.src.URL(serverAddr), Bytes: r.bytes, Seconds: r.elapsed.Seconds(), Connect: r.connect.Seconds(),
		SHA256: jsonHash{hex.EncodeToString(r.sent[:]), hex.EncodeToString(r.got[:]), r.sent == r.got},
		Path:   prettyPath(r.world.path), Seed: r.world.seed, TimeWaits: []jsonTimeWait{},
	}
	if r.elapsed > 0 {
		j.BitRate = float64(r.bytes) * 8 / r.elapsed.Seconds()
	}
	for s := trace.Left; s <= trace.Right; s++ {
		e := jsonEnd{Name: endName(s), Socket: r.info[s].Local.String(), Sent: r.world.tap.builder.Totals(s), Info: r.info[s]}
		for _, c := range r.world.history(s, r.flow) {
			e.States = append(e.States, jsonState{c.at.Seconds(), c.to.String()})
		}
		j.Ends[s] = e
	}
	for _, t := range r.timeWaits() {
		jt := jsonTimeWait{Holder: endName(t.side), Seconds: (2 * r.world.msl).Seconds(), Since: t.since.Seconds(),
			Until: t.until.Seconds(), UntilAt: r.world.start.Add(t.until)}
		if t.ended > 0 {
			ended := t.ended.Seconds()
			jt.Ended = &ended
		}
		j.TimeWaits = append(j.TimeWaits, jt)
	}
	for _, row := range r.world.ladder(r.flow).Rows {
		j.Steps = append(j.Steps, stepOf(&row))
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

// stepOf is a row of the ladder.
func stepOf(row *trace.Row) jsonStep {
	s := jsonStep{At: row.Time.Seconds(), Client: row.States[trace.Left], Server: row.States[trace.Right], Notes: row.Notes}
	switch row.Kind {
	case trace.RowFold:
		s.Kind, s.Fold = "fold", row.Fold
	case trace.RowNote:
		s.Kind, s.From = "note", endName(row.From)
	case trace.RowArrow:
		l := &row.Seg
		seq, ack := uint32(l.Seq), uint32(l.Ack)
		s.Kind, s.From, s.Flags = "segment", endName(row.From), trace.FlagNames(l.Flags)
		s.Seq, s.RelSeq, s.Len, s.Window = &seq, &l.RelSeq, l.Len, &l.Window
		if l.HasAck() {
			s.Ack, s.RelAck = &ack, &l.RelAck
		}
		s.Options = l.OptionWords()
		s.Marks = row.Mark.Names()
	}
	return s
}
