package lab

func flood() []Scenario   { return nil }
func between() []Scenario { return nil }
