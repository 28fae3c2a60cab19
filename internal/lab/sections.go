package lab

func twoWay() []Scenario   { return nil }
func flood() []Scenario    { return nil }
func closing() []Scenario  { return nil }
func waiting() []Scenario  { return nil }
func counting() []Scenario { return nil }
func between() []Scenario  { return nil }
