package lab

// Table is figures beside each other.
type Table struct {
	Title Text
	Heads []Text
	Rows  [][]Text
	Below Text
}

// same is a text that is the same in both languages.
func same(s string) Text { return Text{s, s} }
