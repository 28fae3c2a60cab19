package lab

func flood() []Scenario { return nil }
