package script

import (
	"fmt"
	"os"
	"testing"
)

func TestZZ(t *testing.T) {
	dir := os.Getenv("ZZ")
	if dir == "" {
		t.Skip()
	}
	files, err := Find(dir)
	if err != nil {
		t.Fatal(err)
	}
	n := [3]int{}
	for _, f := range files {
		o := Options{Loose: os.Getenv("LOOSE") != ""}
		if os.Getenv("FAM") != "" {
			f, _ := ParseFamily(os.Getenv("FAM"))
			o.Families = []Family{f}
		}
		rs, err := RunFile(f, o)
		if err != nil {
			t.Error(err)
			continue
		}
		for _, r := range rs {
			n[r.Verdict]++
			if r.Verdict == Failed || r.Verdict == NotApplicable && os.Getenv("NA") != "" {
				fmt.Println(r.String())
				fmt.Println("----")
			}
		}
	}
	fmt.Println(n)
}
