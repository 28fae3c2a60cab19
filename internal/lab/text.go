package lab

import "strings"

// Lang is a language that the lab speaks.
type Lang string

// The languages.
const (
	English Lang = "en"
	Chinese Lang = "zh"
)

// Text is a sentence in both languages.
type Text struct {
	EN string `json:"en"`
	ZH string `json:"zh"`
}

// In is the text in a language.
func (t Text) In(l Lang) string {
	if l == Chinese {
		return t.ZH
	}
	return t.EN
}

// t is how scenarios write a Text.
func t(en, zh string) Text { return Text{en, zh} }

// fill puts the values of parameters in the places of their names: {msl},
// {2msl}.
func (t Text) fill(p *Params) Text {
	r := strings.NewReplacer("{msl}", seconds(p.MSL), "{2msl}", seconds(2*p.MSL), "{rtt}", seconds(2*p.Delay))
	return Text{r.Replace(t.EN), r.Replace(t.ZH)}
}
