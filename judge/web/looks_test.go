package web

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// Both languages: switched by a button, remembered, and the link's wins.
func TestLanguages(t *testing.T) {
	b := page(t, 1440, "#handshake")
	b.must(`document.documentElement.lang === "en" && document.querySelector("h1").textContent === "The three-way handshake"`)
	b.click("#lang")
	b.until(`document.querySelector("h1").textContent.includes("三次握手")`)
	b.must(`document.documentElement.lang === "zh-CN"`)
	b.must(`document.querySelector(".hosts").textContent.includes("已建立") || /[\u4e00-\u9fff]/.test(document.querySelector(".hosts .means").textContent)`)
	// What is left in Latin letters are names: of states, flags, variables.
	if left := value[[]string](b, `[...document.querySelectorAll("button, h1, h2, h3, p, label, summary, .claims li")].filter((x) => !x.matches(".command")).map((x) => x.textContent.trim()).filter((x) => /[a-z]{3,} [a-z]{3,} [a-z]{3,}/.test(x))`); len(left) > 0 {
		t.Errorf("English in the Chinese page: %q", left)
	}
	b.visit(b.url + "/")
	b.must(`document.querySelector("h1").textContent.includes("TCP 连接")`) // remembered
	b.visit(b.url + "/?again#handshake?lang=en")
	b.must(`document.querySelector("h1").textContent === "The three-way handshake"`) // the link wins
	b.enter("no-proof?lang=zh", "2MSL 内没有动静，并不能证明 B 已关闭")
}

// Whoever wants no motion gets none: while it plays, the figure goes from step
// to step and is never seen between two.
func TestReducedMotion(t *testing.T) {
	b := newTab(t, 1440, 900)
	if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-reduced-motion", Value: "reduce"}}}); err != nil {
		t.Fatal(err)
	}
	b.visit(b.url + "/#refused")
	between := value[int](b, `(async () => {
	  const $ = (s) => document.querySelector(s), height = () => $(".ladder clipPath rect").getAttribute("height"), scrub = $(".scrub");
	  const steps = new Set();
	  for (let k = 0; k <= +scrub.max; k++) {
	    scrub.value = k;
	    scrub.dispatchEvent(new Event("input"));
	    steps.add(height());
	  }
	  Object.assign($(".transport select"), {value: 4}).dispatchEvent(new Event("change"));
	  $("[data-key=play]").click();
	  let between = 0;
	  while ($("[data-key=play]").getAttribute("aria-label") === "Pause") {
	    await new Promise(requestAnimationFrame);
	    if (!steps.has(height())) between++;
	  }
	  return between;
	})()`)
	if between > 0 {
		t.Errorf("%d frames between two steps", between)
	}
}

// contrast is that of two of the page's colours, as WCAG computes it.
const contrast = `((a, b) => {
  const css = (v) => { const el = document.body.appendChild(document.createElement("i")); el.style.color = "var(" + v + ")"; const c = getComputedStyle(el).color.match(/[\d.]+/g).map(Number); el.remove(); return c; };
  const l = (c) => { const [r, g, b] = c.map((x) => (x /= 255) <= .03928 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
  const [x, y] = [l(css(a)), l(css(b))];
  return (Math.max(x, y) + .05) / (Math.min(x, y) + .05);
})`

// Both themes: the system's, or the reader's, which is remembered. Text can be
// read in both.
func TestThemes(t *testing.T) {
	b := page(t, 1440, "#handshake")
	paper := func() string { return value[string](b, `getComputedStyle(document.body).backgroundColor`) }
	legible := func(theme string) {
		t.Helper()
		for _, pair := range [][2]string{{"--ink", "--paper"}, {"--faint", "--paper"}, {"--accent", "--paper"}, {"--on-accent", "--accent"}, {"--faint", "--page"}} {
			if c := value[float64](b, fmt.Sprintf("%s(%q, %q)", contrast, pair[0], pair[1])); c < 4.5 {
				t.Errorf("%s: %s on %s has a contrast of %.2f", theme, pair[0], pair[1], c)
			}
		}
	}
	light := paper()
	legible("light")
	prefer := func(scheme string) {
		if _, err := chromedp.Call(b.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
			t.Fatal(err)
		}
	}
	prefer("dark")
	dark := paper()
	if dark == light {
		t.Error("a dark system makes no difference")
	}
	legible("dark")
	b.click("#theme")
	if got := paper(); got != light {
		t.Errorf("the switch leads to %s, not %s", got, light)
	}
	b.visit(b.url + "/?again")
	if got := paper(); got != light {
		t.Error("the theme is forgotten")
	}
	prefer("light")
	b.click("#theme")
	if got := paper(); got != dark {
		t.Errorf("the switch leads to %s, not %s", got, dark)
	}
	legible("dark by the switch")
}

// On a telephone nothing scrolls sideways, in either language: the first page,
// a scenario with its card, the sandbox, the contents, the help.
func TestTelephone(t *testing.T) {
	b := newTab(t, 375, 812)
	for _, lang := range []string{"en", "zh"} {
		b.visit(b.url + "/?" + lang + "#handshake?lang=" + lang)
		narrow := func(where string) {
			t.Helper()
			if w := value[int](b, `Math.max(document.documentElement.scrollWidth, document.body.scrollWidth)`); w > 375 {
				t.Errorf("%s, %s: %d px wide", lang, where, w)
			}
			if out := value[[]string](b, `[...document.querySelectorAll("button, a, input, select, summary")].filter((x) => { const r = x.getBoundingClientRect(); return r.width && (r.right > 376 || r.left < -1) && !x.closest(".program, .scroll, .skip") && !x.classList.contains("skip"); }).map((x) => x.outerHTML.slice(0, 90))`); len(out) > 0 {
				t.Errorf("%s, %s: out of the window: %q", lang, where, out)
			}
		}
		narrow("handshake")
		b.press("A:1")
		narrow("the card")
		b.click(".card .close")
		b.click("#open-help")
		narrow("help")
		b.eval(`document.querySelector("#help").close()`)
		b.click("#open-contents")
		narrow("contents")
		b.eval(`document.querySelector("#contents").close()`)
		b.eval(`location.hash = "sandbox"`)
		b.until(`document.querySelector("[data-do='A connect']")`)
		narrow("sandbox")
		b.eval(`location.hash = "flood-defences"`)
		b.until(`document.querySelector("[data-name='flood-defences'] table")`)
		narrow("tables")
		b.eval(`location.hash = ""`)
		b.until(`document.querySelector(".starts")`)
		narrow("first page")
	}
}

// Whatever one can press or fill in has a name that a screen reader can say,
// and ids are unique.
func TestNames(t *testing.T) {
	b := page(t, 1440, "#stale-syn-ghost")
	for _, hash := range []string{"stale-syn-ghost", "sandbox", "congestion-window", "flood-defences"} {
		b.eval(fmt.Sprintf("location.hash = %q", hash))
		b.until(fmt.Sprintf(`document.querySelector("[data-name='%s'] .controls")`, hash))
		if bad := value[[]string](b, `[...document.querySelectorAll("button, a[href], input, select, textarea, [role=button], dialog, svg[role=img], [role=group], [role=region]")].filter((x) => !(x.getAttribute("aria-label") || x.getAttribute("aria-labelledby") || x.labels?.length || x.textContent.trim())).map((x) => x.outerHTML.slice(0, 100))`); len(bad) > 0 {
			t.Errorf("%s: without a name: %q", hash, bad)
		}
		if twice := value[[]string](b, `[...document.querySelectorAll("body [id]:not(pattern)")].map((x) => x.id).filter((id, i, all) => all.indexOf(id) !== i)`); len(twice) > 0 {
			t.Errorf("%s: ids given twice: %q", hash, twice)
		}
	}
}

// The page shows before the engine is there, and says how far it is; the engine
// comes, and the page is alive.
func TestFirstPaint(t *testing.T) {
	h := shared(t)
	hold, asked := make(chan struct{}), make(chan struct{}, 1)
	url := front(t, h, func(_ http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/estab.wasm.gz" {
			asked <- struct{}{}
			<-hold
		}
		return false
	})
	b := newTab(t, 1440, 900)
	b.do(chromedp.Navigate(url + "/#handshake?lang=zh"))
	<-asked
	b.until(`performance.getEntriesByName("first-contentful-paint").length === 1`)
	b.must(`document.querySelector("h1").offsetHeight > 20 && document.querySelector("#loading progress") && document.querySelector("#loading").innerText.includes("引擎")`)
	b.must(`document.querySelector("h1").innerText === "一个 TCP 连接的一生" && document.querySelector(".lead").innerText.includes("浏览器")`)
	t.Logf("first paint after %.0f ms", value[float64](b, `performance.getEntriesByName("first-contentful-paint")[0].startTime`))
	close(hold)
	b.until(`document.querySelector("h1").textContent.includes("三次握手")`)
}

// A run that takes its time says that it is being computed.
func TestBusy(t *testing.T) {
	b := page(t, 1440, "#refused")
	b.eval(`location.hash = "flood-defences"`) // seconds
	b.until(`!document.querySelector("#busy").hidden && document.querySelector("#busy").textContent.includes("Computing")`)
	b.until(`document.querySelector("[data-name='flood-defences']") && document.querySelector("#busy").hidden`)
}

// Where the engine can't be had the page says so.
func TestNoEngine(t *testing.T) {
	h := shared(t)
	url := front(t, h, func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path != "/estab.wasm.gz" {
			return false
		}
		http.Error(w, "gone", http.StatusNotFound)
		return true
	})
	b := newTab(t, 1440, 900)
	b.lax = true // the browser itself complains about the 404
	b.do(chromedp.Navigate(url))
	b.until(`document.querySelector("#loading-text").textContent.includes("404")`)
}

// The static files work from any server, in a folder of it.
func TestStaticFiles(t *testing.T) {
	h := shared(t)
	dir := t.TempDir()
	if out, err := exec.Command(h.command, "lab", "web", "--out", dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var hosts []string
	server := httptest.NewServer(http.StripPrefix("/course/tcp/", http.FileServer(http.Dir(dir))))
	defer server.Close()
	b := newTab(t, 1440, 900)
	b.visit(server.URL + "/course/tcp/#four-way-close?lang=zh")
	b.until(`document.querySelector("h1").textContent.includes("四次挥手")`)
	hosts = value[[]string](b, `performance.getEntriesByType("resource").map((x) => new URL(x.name).host)`)
	for _, host := range hosts {
		if !strings.HasSuffix(server.URL, host) {
			t.Errorf("a request to %s", host)
		}
	}
}
