package main

import (
	"encoding/json"

	"estab/internal/lab"
	"estab/tcp"
)

// The JSON of a run. Times are in seconds since the beginning of a world,
// sizes in bytes.
type (
	jsonLab struct {
		Name    string         `json:"name"`
		Section int            `json:"section"`
		Title   lab.Text       `json:"title"`
		Intro   lab.Text       `json:"intro"`
		Lesson  lab.Text       `json:"lesson"`
		Seed    uint64         `json:"seed"`
		OK      bool           `json:"ok"`
		Worlds  []jsonLabWorld `json:"worlds"`
		Tables  []jsonLabTable `json:"tables,omitempty"`
		Claims  []jsonLabClaim `json:"claims"`
	}
	jsonLabWorld struct {
		Name    *lab.Text      `json:"name,omitempty"`
		Seconds float64        `json:"seconds"`
		Story   []jsonLabBeat  `json:"story"`
		States  [2][]jsonState `json:"states"` // of A and B
		Steps   []jsonStep     `json:"steps"`
		Memory  []jsonLabShot  `json:"memory"`
	}
	jsonLabBeat struct {
		At   float64  `json:"at"`
		Text lab.Text `json:"text"`
	}
	jsonLabShot struct {
		At float64        `json:"at"`
		A  jsonLabHolding `json:"a"`
		B  jsonLabHolding `json:"b"`
	}
	jsonLabHolding struct {
		State   string      `json:"state"`
		Classic int         `json:"classic"`
		Late    int         `json:"classicLate"`
		Estab   int         `json:"estab"`
		TCB     *tcp.Status `json:"tcb,omitempty"`
	}
	jsonLabTable struct {
		Title lab.Text     `json:"title"`
		Heads []lab.Text   `json:"heads"`
		Rows  [][]lab.Text `json:"rows"`
		Below lab.Text     `json:"below"`
	}
	jsonLabClaim struct {
		Text   lab.Text  `json:"text"`
		State  string    `json:"state"` // holds, fails, no longer applies
		Reason *lab.Text `json:"reason,omitempty"`
	}
)

// writeJSON tells a run as one JSON object.
func (o *labOptions) writeJSON(r *lab.Run) error {
	s := &r.Scenario
	j := jsonLab{Name: s.Name, Section: s.Section, Title: s.Title, Intro: s.Intro, Lesson: s.Lesson,
		Seed: r.Params.Seed, OK: r.OK(), Claims: []jsonLabClaim{}}
	for _, p := range r.Plays {
		j.Worlds = append(j.Worlds, o.jsonWorld(r, p))
	}
	for _, t := range r.Tables {
		j.Tables = append(j.Tables, jsonLabTable(t))
	}
	for _, v := range r.Verdicts {
		state := [...]string{lab.Holds: "holds", lab.Fails: "fails", lab.NotApplicable: "no longer applies"}[v.State]
		c := jsonLabClaim{Text: v.Text, State: state}
		if v.State != lab.Holds {
			c.Reason = &v.Reason
		}
		j.Claims = append(j.Claims, c)
	}
	enc := json.NewEncoder(o.out)
	enc.SetIndent("", "  ")
	return enc.Encode(j)
}

func (o *labOptions) jsonWorld(r *lab.Run, p *lab.Play) jsonLabWorld {
	w := jsonLabWorld{Seconds: p.At(p.End).Seconds(), Story: []jsonLabBeat{}, Steps: []jsonStep{}, Memory: []jsonLabShot{}}
	if p.Name.EN != "" {
		w.Name = &p.Name
	}
	for _, x := range p.Story {
		w.Story = append(w.Story, jsonLabBeat{p.At(x.At).Seconds(), x.Text})
	}
	l := r.Ladder(p, lab.Lang(o.lang))
	for _, row := range l.Rows {
		w.Steps = append(w.Steps, stepOf(&row))
		for i, states := range row.States {
			for _, st := range states {
				at := p.At(l.Began) + row.Time
				w.States[i] = append(w.States[i], jsonState{at.Seconds(), st})
			}
		}
	}
	for _, x := range p.Shots {
		w.Memory = append(w.Memory, jsonLabShot{x.At.Seconds(), jsonHolding(&x.Sides[lab.A]), jsonHolding(&x.Sides[lab.B])})
	}
	return w
}

func jsonHolding(h *lab.Holding) jsonLabHolding {
	j := jsonLabHolding{State: h.State.String(), Classic: h.Classic, Late: h.Late, Estab: h.Estab}
	if h.Held && h.Status.SMSS != 0 {
		j.TCB = &h.Status
	}
	return j
}
