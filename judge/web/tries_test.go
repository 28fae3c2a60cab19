package web

import (
	"fmt"
	"strings"
	"testing"
)

// Each question under a title leads to a run that is another than the untouched
// one, and says in what.
func TestWhatIf(t *testing.T) {
	b := page(t, 1440, "")
	links := value[[]string](b, `import("./tries.js").then((m) => m.links())`)
	if len(links) < 10 {
		t.Fatalf("only %d questions", len(links))
	}
	for _, link := range links {
		name, _, _ := strings.Cut(link, "?")
		b.eval(fmt.Sprintf("location.hash = %q", name))
		b.until(fmt.Sprintf(`document.querySelector("[data-name='%s'] .tries a[href='#%s']") && !document.querySelector(".changes")`, name, link))
		b.eval(fmt.Sprintf("location.hash = %q", link))
		b.until(`document.querySelector(".changes") || !document.querySelector("#notice").hidden`)
		b.must(`document.querySelector("#notice").hidden`)
		if !value[bool](b, `document.querySelectorAll(".changes .what li").length > 0 || document.querySelectorAll(".worlds .new, .worlds .struck").length > 0`) {
			t.Errorf("%s changes nothing: %s", link, value[string](b, `document.querySelector(".changes p").textContent`))
		}
	}
}
