package web

import "testing"

// Each question under a title leads to a run that is another than the untouched
// one.
func TestWhatIf(t *testing.T) {
	h := shared(t)
	b := page(t, 1440, "")
	asked := 0
	for _, name := range scenarios(t, h) {
		b.eval(`location.hash = "` + name + `"`)
		b.until(`document.querySelector("[data-name='` + name + `']") && !document.querySelector(".changes")`)
		links := value[[]string](b, `[...document.querySelectorAll(".tries a")].map((a) => a.getAttribute("href"))`)
		for _, link := range links {
			asked++
			b.eval(`location.hash = "` + link + `"`)
			b.until(`document.querySelector(".changes") || !document.querySelector("#notice").hidden`)
			b.must(`document.querySelector("#notice").hidden`)
			text := value[string](b, `document.querySelector(".changes p").textContent`)
			if !value[bool](b, `document.querySelectorAll(".changes .what li").length > 0 || document.querySelectorAll(".worlds .new, .worlds .struck").length > 0`) {
				t.Errorf("%s changes nothing: %s", link, text)
			}
			b.eval(`location.hash = "` + name + `"`)
			b.until(`!document.querySelector(".changes")`)
		}
	}
	if asked < 10 {
		t.Errorf("only %d questions", asked)
	}
}
