package lab

import (
	"errors"
	"fmt"
)

// Problem is an error that speaks both languages.
type Problem struct{ Text }

// Error is what an English reader is told.
func (p *Problem) Error() string { return p.EN }

// problem makes a Problem; both texts take the same arguments.
func problem(en, zh string, args ...any) error {
	return &Problem{Text{fmt.Sprintf(en, args...), fmt.Sprintf(zh, args...)}}
}

// TextOf is what an error says. One that speaks English only says it twice.
func TextOf(err error) Text {
	var p *Problem
	if errors.As(err, &p) {
		return p.Text
	}
	return same(err.Error())
}
