package script

import (
	"fmt"
	"os"
	"testing"
)

func TestZZOwn(t *testing.T) {
	files, _ := Find("testdata")
	n := 0
	for _, f := range files {
		if len(f) > 16 && f[9:15] == "syntax" {
			continue
		}
		rs, err := RunFile(f, Options{Strict: true})
		if err != nil {
			fmt.Println(err)
			continue
		}
		for _, r := range rs {
			if r.Verdict != Passed {
				n++
				if os.Getenv("FULL") != "" {
					fmt.Println(r.String())
				} else {
					fmt.Println(r.err)
					if r.Failure != nil {
						fmt.Println("  expected", r.Failure.Expected)
						fmt.Println("  got     ", r.Failure.Got)
					}
				}
			}
		}
	}
	fmt.Println(len(files), n)
}
