package page

import (
	"slices"
	"strconv"
	"time"

	"estab/internal/lab"
	"estab/internal/trace"
)

// Catalog is what there is to choose from.
type Catalog struct {
	Sections []Section      `json:"sections"`
	Sandbox  Scenario       `json:"sandbox"`
	Params   []Param        `json:"params"`
	Groups   []ParamGroup   `json:"groups"`
	Words    []Word         `json:"words"`
	States   []FigureState  `json:"states"` // of figure 5
	Arrows   []FigureArrow  `json:"arrows"`
	Sizes    map[string]int `json:"sizes"`
}

// Section is a part of the story.
type Section struct {
	N         int        `json:"n"`
	Title     lab.Text   `json:"title"`
	Scenarios []Scenario `json:"scenarios"`
}

// Scenario is one thing that the lab shows.
type Scenario struct {
	Name       string     `json:"name"`
	Title      lab.Text   `json:"title"`
	Intro      lab.Text   `json:"intro"`
	Worlds     int        `json:"worlds"`
	WorldNames []lab.Text `json:"worldNames"`
	Claims     int        `json:"claims"`
	Params     []string   `json:"params"` // those worth trying
	Scripts    []string   `json:"scripts"`
	Letters    bool       `json:"letters"`
	Plots      []string   `json:"plots"`
	Memory     bool       `json:"memory"`
}

// Param is a parameter.
type Param struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Title   lab.Text `json:"title"`
	Help    lab.Text `json:"help"`
	Group   string   `json:"group"`
	Default string   `json:"default"` // "": as the scenario has it
	Min     string   `json:"min"`
	Max     string   `json:"max"`
	Choices []string `json:"choices"`
}

// ParamGroup is what parameters are about.
type ParamGroup struct {
	Name  string   `json:"name"`
	Title lab.Text `json:"title"`
}

// Word is a line of the script language, and what it does.
type Word struct {
	Form string   `json:"form"`
	Help lab.Text `json:"help"`
}

// FigureState is a state in the picture of figure 5.
type FigureState struct {
	Name  string   `json:"name"`
	Text  lab.Text `json:"text"`
	Class string   `json:"class"`
	X     int      `json:"x"`
	Y     int      `json:"y"`
	W     int      `json:"w"`
	H     int      `json:"h"`
}

// FigureArrow is a transition in the picture.
type FigureArrow struct {
	From   string   `json:"from"`
	To     string   `json:"to"`
	Event  lab.Text `json:"event"`
	Action lab.Text `json:"action"`
	Rare   bool     `json:"rare"` // drawn only if it was made
	D      string   `json:"d"`    // an SVG path
	LX     int      `json:"lx"`
	LY     int      `json:"ly"`
}

// NewCatalog lists everything.
func NewCatalog() *Catalog {
	c := &Catalog{Sizes: lab.Sizes()}
	for _, s := range lab.Scenarios() {
		if n := len(c.Sections); n == 0 || c.Sections[n-1].N != s.Section {
			c.Sections = append(c.Sections, Section{N: s.Section, Title: lab.SectionTitle(s.Section)})
		}
		x := &c.Sections[len(c.Sections)-1]
		x.Scenarios = append(x.Scenarios, catalogued(&s))
	}
	sandbox := lab.Sandbox()
	c.Sandbox = catalogued(&sandbox)
	d := lab.Defaults()
	for _, s := range lab.Specs() {
		p := Param{Name: s.Name, Kind: string(s.Kind), Title: s.Title, Help: s.Help, Group: string(s.Group), Default: s.Get(&d), Choices: s.Choices}
		if p.Choices == nil {
			p.Choices = []string{}
		}
		switch s.Kind {
		case lab.KindTime:
			p.Min, p.Max = time.Duration(s.Min).String(), time.Duration(s.Max).String()
		case lab.KindCount, lab.KindBytes:
			p.Min, p.Max = strconv.FormatInt(s.Min, 10), strconv.FormatInt(s.Max, 10)
		}
		c.Params = append(c.Params, p)
	}
	for _, g := range lab.Groups() {
		c.Groups = append(c.Groups, ParamGroup{string(g.Name), g.Title})
	}
	for _, w := range lab.ScriptWords() {
		c.Words = append(c.Words, Word(w))
	}
	for _, s := range trace.FigureStates() {
		c.States = append(c.States, FigureState{s.Name, lab.StateText(s.Name), s.Class, s.X, s.Y, s.W, s.H})
	}
	for _, a := range trace.FigureArrows() {
		event, action := lab.ArrowText(a.From, a.To)
		c.Arrows = append(c.Arrows, FigureArrow{a.From, a.To, event, action, a.Rare, a.D, a.LX, a.LY})
	}
	return c
}

func catalogued(s *lab.Scenario) Scenario {
	x := Scenario{Name: s.Name, Title: s.Title, Intro: s.Intro, Worlds: len(s.Worlds), WorldNames: []lab.Text{}, Claims: len(s.Claims),
		Params: s.Foremost(), Scripts: []string{}, Letters: s.Letters, Plots: slices.Clone(s.Plot), Memory: s.Memory}
	if x.Plots == nil {
		x.Plots = []string{}
	}
	for _, w := range s.Worlds {
		x.WorldNames, x.Scripts = append(x.WorldNames, w.Name), append(x.Scripts, w.Script)
	}
	return x
}
