package web

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// set writes into a field and leaves it.
func (b *tab) set(selector, text string) {
	b.t.Helper()
	b.eval(fmt.Sprintf(`(() => { const el = document.querySelector(%q); el.value = %q; el.dispatchEvent(new Event("input", {bubbles: true})); el.dispatchEvent(new Event("change", {bubbles: true})); })()`, selector, text))
}

// Parameters change the run at once; a value that is none is refused at its
// field, and the run stays.
func TestParameters(t *testing.T) {
	b := page(t, 1440, "#last-ack-lost")
	b.set("#p-msl", "1s")
	b.until(`location.hash.includes("msl=1s") && document.querySelector(".changes")`)
	b.until(`document.querySelector(".claims").textContent.includes("2MSL") || document.querySelector(".clock").textContent !== "242.040 s"`)
	hash := value[string](b, "location.hash")
	b.set("#p-msl", "yesterday")
	b.until(`document.querySelector("#p-msl").getAttribute("aria-invalid") === "true" && document.querySelector("#p-msl").closest(".param").querySelector(".error").textContent.length > 5`)
	if got := value[string](b, "location.hash"); got != hash {
		t.Errorf("the address bar went from %s to %s", hash, got)
	}
	b.must(`document.querySelector(".ladder")`)
}

// With two-way opening, switched on by hand, B believes at its own SYN,ACK.
func TestTwoWaySwitch(t *testing.T) {
	b := page(t, 1440, "#handshake")
	b.set(`[id="p-two-way"]`, "on")
	b.until(`location.hash.includes("two-way=on") && document.querySelector(".changes")`)
	b.must(`document.querySelector(".claims li.moot, .claims li.fails")`)
	b.must(`document.querySelectorAll(".ladder").length === 2`)
}

// The script can be rewritten; an error is shown with its line, beside the
// script, and what was there before stays.
func TestScriptEditor(t *testing.T) {
	b := page(t, 1440, "#handshake")
	b.set("#script-0", "0 B listen\n10ms A connect\n1s A send \"hi there\"\n")
	b.until(`document.querySelector(".worlds > :last-child").textContent.includes("hi there")`)
	b.must(`location.hash.includes("script")`)
	hash := value[string](b, "location.hash")
	b.set("#script-0", "0 B listen\n10ms A conect\n")
	b.until(`document.querySelector(".scripts .error").textContent.includes("conect")`)
	b.must(`document.querySelector(".scripts .error").textContent.includes("Line 2")`)
	b.must(`document.querySelector("#script-0").getAttribute("aria-invalid") === "true"`)
	b.must(`document.querySelector("#script-0").value.includes("conect")`) // nobody takes away what one writes
	if got := value[string](b, "location.hash"); got != hash {
		t.Errorf("the address bar went from %s to %s", hash, got)
	}
}

// A link holds the whole experiment: another reader sees the same run, in the
// same language.
func TestLinkRestores(t *testing.T) {
	b := page(t, 1440, "#four-way-close?lang=zh")
	b.set("#p-delay", "40ms")
	b.until(`location.hash.includes("delay=40ms")`)
	b.set("#script-0", "0 B listen\n0 B on-eof close 1s\n10ms A connect\n1s A send \"link\"\n2s A close\n")
	b.until(`location.hash.includes("script")`)
	b.press("A:3")
	b.click(".card [data-act=lose]")
	b.until(`location.hash.includes("lose=A:3")`)
	b.click("[data-act=copy-link]")
	b.until(`document.querySelector("[data-act=copy-link]").closest(".row").textContent.length > 0`)
	link, run := value[string](b, "location.href"), value[string](b, `document.querySelector(".worlds > :last-child .ladder").textContent + document.querySelector(".claims").textContent + document.querySelector(".changes").textContent`)
	if !strings.Contains(link, "lang=zh") {
		t.Errorf("the link has no language: %s", link)
	}
	other := newTab(t, 1440, 900)
	other.visit(link)
	other.until(`document.querySelector(".changes")`)
	other.must(`document.documentElement.lang === "zh-CN"`)
	other.eval(`(() => { const c = document.querySelector("#compare"); if (!c.checked) c.click(); })()`)
	if got := value[string](other, `document.querySelector(".worlds > :last-child .ladder").textContent + document.querySelector(".claims").textContent + document.querySelector(".changes").textContent`); got != run {
		t.Errorf("another run:\n%s\n%s", run, got)
	}
}

// A copied link leads to the moment at which it was copied, in the language of
// whoever copied it.
func TestCopyLink(t *testing.T) {
	b := page(t, 1440, "#handshake?lose=B:1")
	b.until(`document.querySelector(".changes")`)
	b.eval(`navigator.clipboard.writeText = async (text) => { window.copied = text; }`)
	b.eval(`Object.assign(document.querySelector(".scrub"), {value: 4}).dispatchEvent(new Event("input"))`)
	moment := value[string](b, `document.querySelector(".clock").textContent`)
	b.click("[data-act=copy-link]")
	b.until(`window.copied`)
	link := value[string](b, `window.copied`)
	if !strings.Contains(link, "lang=en") || !strings.Contains(link, "lose=B:1") {
		t.Errorf("the link is %s", link)
	}
	other := newTab(t, 1440, 900)
	other.visit(link)
	other.until(`document.querySelector(".changes")`)
	if got := value[string](other, `document.querySelector(".clock").textContent`); got != moment || moment == "0.000 s" {
		t.Errorf("it leads to %s, not %s", got, moment)
	}
}

// A link that can't be read is a message on the page and nothing else: what
// was there stays.
func TestBrokenLink(t *testing.T) {
	b := page(t, 1440, "#no-such-scenario")
	b.until(`!document.querySelector("#notice").hidden`)
	b.must(`document.querySelector(".starts")`) // the first page, since there was nothing before
	for _, link := range []string{"handshake?msl=never", "handshake?lose=C:1", "handshake?script=nonsense", "handshak", "%zz", "handshake?no-such-thing=1"} {
		b.enter("handshake?lose=B:1", "The three-way handshake")
		b.until(`document.querySelector(".changes") && document.querySelector("#notice").hidden`)
		b.eval(fmt.Sprintf("location.hash = %q", link))
		b.until(`!document.querySelector("#notice").hidden && document.querySelector("#notice").textContent.length > 20`)
		b.must(`document.querySelector(".changes") && document.querySelector("h1").textContent === "The three-way handshake"`)
	}
}

// The run can be taken away as a capture, a picture, a script and a text.
func TestExports(t *testing.T) {
	b := page(t, 1440, "#handshake?lose=B:1")
	b.until(`document.querySelector(".changes")`)
	b.eval(`(window.taken = [], URL.createObjectURL = (blob) => { taken.push(blob); return "blob:none"; }, HTMLAnchorElement.prototype.click = function () { this.download && taken.push(this.download); })`)
	for kind, begins := range map[string]string{"pcapng": "\n\r\r\n", "svg": "<svg", "script-a": "", "script-b": "", "text": "", "json": "{"} {
		b.eval(`taken.length = 0`)
		b.click("[data-export=" + kind + "]")
		b.until(`taken.length === 2`)
		head := value[string](b, `taken[0].slice(0, 400).arrayBuffer().then((x) => String.fromCharCode(...new Uint8Array(x)))`)
		if !strings.HasPrefix(strings.TrimPrefix(head, "<?xml"), begins) || len(head) < 100 {
			t.Errorf("%s begins with %.40q", kind, head)
		}
		if name := value[string](b, `taken[1]`); !strings.Contains(name, "handshake") {
			t.Errorf("%s is called %s", kind, name)
		}
	}
}

// The sandbox: connect, send and close with buttons, lose what one likes with
// a slider, undo, begin again.
func TestSandbox(t *testing.T) {
	b := page(t, 1440, "#sandbox")
	b.until(`document.querySelector("[data-do='A connect']")`)
	states := func(a, bb string) {
		t.Helper()
		b.until(fmt.Sprintf(`[...document.querySelectorAll(".chips span:not(.held)")].map((x) => x.textContent).join() === "A%s,B%s"`, a, bb))
	}
	states("CLOSED", "LISTEN")
	b.eval(`Object.assign(document.querySelector(".transport select"), {value: 4}).dispatchEvent(new Event("change"))`)
	b.must(`document.querySelector("[data-do='A send']").disabled`)
	b.click("[data-do='A connect']")
	states("ESTABLISHED", "ESTABLISHED")
	b.until(`!document.querySelector("[data-do='A send']").disabled && document.querySelector("[data-key=play]").getAttribute("aria-label") === "Play"`)
	b.click("[data-do='A send']")
	b.until(`document.querySelector(".ladder .draw, .ladder").textContent.includes("hello")`)
	b.until(`document.querySelector("[data-key=play]").getAttribute("aria-label") === "Play"`)
	b.click("[data-do='A close']")
	states("FIN-WAIT-2", "CLOSE-WAIT")
	b.until(`document.querySelector("[data-key=play]").getAttribute("aria-label") === "Play"`)
	b.click("[data-do='B close']")
	states("TIME-WAIT", "CLOSED")
	b.must(`location.hash.includes("script")`)
	b.until(`document.querySelector("[data-key=play]").getAttribute("aria-label") === "Play"`)
	run := value[string](b, `document.querySelector(".ladder").textContent`)
	b.set("[data-path=loss]", "50")
	b.until(`decodeURIComponent(location.hash).includes("loss")`)
	b.until(fmt.Sprintf(`document.querySelector(".ladder").textContent !== %q`, run))
	b.set("[data-path=loss]", "0")
	b.until(fmt.Sprintf(`!location.hash.includes("loss") && document.querySelector(".ladder").textContent === %q`, run))
	b.set("[data-path=rate]", "250")
	b.until(`decodeURIComponent(location.hash).replaceAll("+", " ").includes("rate 250kbit")`)
	b.set("[data-path=rate]", "0")
	b.until(`!location.hash.includes("rate")`)
	b.click("[data-do=undo]")
	b.until(`!location.hash.includes("B+close")`)
	b.click("[data-do=clear]")
	states("CLOSED", "LISTEN")
	b.do(chromedp.NavigateBack())
	b.until(`document.querySelectorAll(".ladder .touch").length > 0`)
}
