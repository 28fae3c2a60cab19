package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// segment is a selector for what one clicks on, of the last ladder.
func segment(id string) string {
	return `[...document.querySelectorAll(".worlds > :last-child .touch")].find((x) => x.dataset.id === "` + id + `")`
}

// press opens a segment's card with a click of the mouse on its line.
func (b *tab) press(id string) {
	b.t.Helper()
	b.eval(segment(id) + `.scrollIntoView({block: "center"})`)
	at := value[[]float64](b, `(() => {
	  const el = `+segment(id)+`, p = el.getPointAtLength(el.getTotalLength() * .5), m = el.getScreenCTM();
	  return [p.x * m.a + m.e, p.y * m.d + m.f];
	})()`)
	b.do(chromedp.MouseClickXY(at[0], at[1]))
	b.until(`document.querySelector(".card")`)
}

// Losing the SYN,ACK of a handshake changes the run, the difference is told,
// the address bar holds it, and back and forward lead out of it and in again.
func TestLoseASegment(t *testing.T) {
	b := page(t, 1440, "#handshake")
	before := value[string](b, `document.querySelector(".ladder").textContent`)
	b.press("B:1")
	b.must(`document.querySelector(".card").textContent.includes("SYN,ACK")`)
	b.click(".card [data-act=lose]")
	b.until(`location.hash === "#handshake?lose=B:1" && document.querySelector(".changes")`)
	b.must(`document.querySelector(".changes").textContent.includes("lose B:1")`)
	b.must(`document.querySelectorAll(".ladder").length === 2`) // the untouched run beside it
	b.must(`document.querySelector(".worlds > :last-child .struck .cross")`)
	b.must(`document.querySelectorAll(".worlds > :last-child .new").length > 0`)
	b.must(`document.querySelectorAll(".worlds > :last-child .seg.again").length > 0`)
	b.must(`document.querySelector(".claims li.moot")`)
	b.must(`document.querySelector(".command code").textContent.includes("lab run handshake --lose B:1")`)
	// The story is written for the untouched run: it is told there and nowhere else.
	b.must(`document.querySelector(".worlds > :first-child .tale") && !document.querySelector(".worlds > :last-child .tale")`)
	if first := value[string](b, `document.querySelector(".ladder").textContent`); !strings.Contains(first, "ESTABLISHED") {
		t.Error("the untouched run is not beside it")
	}
	b.do(chromedp.NavigateBack())
	b.until(`location.hash === "#handshake" && !document.querySelector(".changes")`)
	if after := value[string](b, `document.querySelector(".ladder").textContent`); after != before {
		t.Errorf("back leads to another run:\n%s\n%s", before, after)
	}
	b.do(chromedp.NavigateForward())
	b.until(`location.hash === "#handshake?lose=B:1" && document.querySelector(".changes")`)
	b.press("B:1")
	b.click(".card [data-act=pass]")
	b.until(`location.hash === "#handshake" && !document.querySelector(".changes")`)
}

// A segment can be delayed and doubled, too; the time is the reader's, and one
// that is none is refused without losing anything.
func TestDelayAndDouble(t *testing.T) {
	b := page(t, 1440, "#handshake")
	b.press("A:1")
	b.eval(`document.querySelector(".card [data-act=delay]").nextSibling.value = "3s"`)
	b.click(".card [data-act=delay]")
	b.until(`decodeURIComponent(location.hash).replaceAll("+", " ").includes("A:1 3s") && document.querySelector(".changes")`)
	b.press("A:2")
	b.eval(`document.querySelector(".card [data-act=double]").nextSibling.value = "50ms"`)
	b.click(".card [data-act=double]")
	b.until(`document.querySelectorAll(".changes .faults li").length === 2`)
	b.must(`document.querySelector(".worlds > :last-child .seg.copy")`)
	hash := value[string](b, "location.hash")
	b.press("A:1")
	b.eval(`document.querySelector(".card [data-act=delay]").nextSibling.value = "soon"`)
	b.click(".card [data-act=delay]")
	b.until(`document.querySelector("#notice").textContent.includes("soon")`)
	if got := value[string](b, "location.hash"); got != hash {
		t.Errorf("the address bar went from %s to %s", hash, got)
	}
	b.click(`.changes [data-act=reset]`)
	b.until(`location.hash === "#handshake"`)
}

// A long run of data is one row; a click tells it segment by segment, another
// puts it away again.
func TestFold(t *testing.T) {
	b := page(t, 1440, "#congestion-window")
	few := value[int](b, `document.querySelectorAll(".ladder .touch").length`)
	b.eval(`document.querySelector(".fold-touch").dispatchEvent(new MouseEvent("click", {bubbles: true}))`)
	b.until(`document.querySelectorAll(".ladder .touch").length > 400`)
	b.click("[data-act=fold]")
	b.until(fmt.Sprintf(`document.querySelectorAll(".ladder .touch").length === %d`, few))
}

// "Why not two", as somebody would who has never seen it: the third segment's
// objection lost, B keeps a ghost in one world and none in the other.
func TestWhyNotTwo(t *testing.T) {
	b := page(t, 1440, "")
	b.eval(`[...document.querySelectorAll(".starts a")][1].click()`)
	b.until(`document.querySelectorAll(".ladder").length === 2`)
	text := value[string](b, `document.querySelector(".worlds").textContent`)
	for _, s := range []string{"two-way", "three-way", "SYN-RECEIVED", "ESTABLISHED", "RST"} {
		if !strings.Contains(text, s) {
			t.Errorf("nothing says %q", s)
		}
	}
	b.press("A:2") // the SYN that opens the real connection
	b.click(".card [data-act=lose]")
	b.until(`document.querySelector(".changes") && document.querySelector(".transport .extra").textContent.includes("untouched")`)
}

// stroke is a key that the page swallows: unlike chromedp.KeyEvent it lets the
// browser decide whether a character follows, as a keyboard does.
func (b *tab) stroke(key, code string, number int64) {
	b.t.Helper()
	for _, p := range []input.DispatchKeyEventParams{
		{Type: input.DispatchKeyEventTypeKeyDown, Key: key, Code: code, Text: key, WindowsVirtualKeyCode: number},
		{Type: input.DispatchKeyEventTypeKeyUp, Key: key, Code: code, WindowsVirtualKeyCode: number},
	} {
		if _, err := chromedp.Call(b.ctx, input.DispatchKeyEvent, p); err != nil {
			b.t.Fatal(err)
		}
	}
}

// The whole way with the keyboard alone: to a segment, into its card, lose it,
// play, step, help.
func TestKeyboard(t *testing.T) {
	b := page(t, 1440, "#handshake")
	b.eval(`document.activeElement.blur()`)
	b.eval(`document.querySelector(".skip").focus()`)
	b.key(kb.Enter)
	b.must(`document.activeElement.id === "page" && location.hash === "#handshake"`)
	for range 60 {
		b.key(kb.Tab)
		if value[bool](b, `document.activeElement.classList.contains("touch")`) {
			break
		}
	}
	b.must(`document.activeElement.dataset.id === "A:1"`)
	b.must(`getComputedStyle(document.activeElement).stroke !== "rgba(0, 0, 0, 0)"`) // one sees where one is
	b.key(kb.ArrowDown)
	b.must(`document.activeElement.dataset.id === "B:1"`)
	b.key(kb.Enter)
	b.until(`document.activeElement === document.querySelector(".card")`)
	b.key(kb.Escape)
	b.until(`!document.querySelector(".card")`)
	b.must(`document.activeElement.dataset.id === "B:1"`)
	b.key(kb.Enter)
	b.until(`document.activeElement === document.querySelector(".card")`)
	b.key(kb.Tab)
	b.must(`document.activeElement.dataset.act === "lose"`)
	b.key(kb.Enter)
	b.until(`document.querySelector(".changes") && location.hash === "#handshake?lose=B:1" && document.activeElement.dataset.id === "B:1"`)
	b.key(kb.Home)
	b.must(`document.querySelector(".scrub").value === "0"`)
	b.key(kb.ArrowRight)
	b.must(`document.querySelector(".scrub").value === "1"`)
	b.eval(`document.activeElement.blur()`)
	b.key(" ")
	b.until(`document.querySelector("[data-key=play]").getAttribute("aria-label") === "Pause"`)
	b.key(" ")
	b.until(`document.querySelector("[data-key=play]").getAttribute("aria-label") === "Play"`)
	b.key("?")
	b.until(`document.querySelector("#help").open`)
	b.must(`document.querySelector("#help").textContent.includes("one step on")`)
	b.key(kb.Escape)
	b.until(`!document.querySelector("#help").open`)
	b.stroke("/", "Slash", 191)
	b.until(`document.activeElement.id === "search"`)
	b.key("flood")
	b.until(`document.querySelectorAll("#contents li").length < 20 && document.querySelector("#contents").textContent.includes("SYN flood")`)
}
