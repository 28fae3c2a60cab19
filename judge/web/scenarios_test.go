package web

import (
	"encoding/json"
	"os/exec"
	"testing"
)

// everything steps through a scenario with the arrow key, as fast as the page
// can draw, and says what is wrong at the end.
const everything = `(async (name) => {
  const $ = (s) => document.querySelector(s), wrong = [];
  location.hash = name;
  await new Promise((done, fail) => {
    const until = performance.now() + 60000;
    const look = () => document.title !== "?" && $("[data-name='" + name + "']") ? done() : performance.now() > until ? fail(new Error(name + " does not come")) : requestAnimationFrame(look);
    document.title = "?";
    look();
  });
  const press = (key) => document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
  const scrub = $(".scrub"), claims = () => [...document.querySelectorAll(".claims li")];
  press("Home");
  if (+scrub.value !== 0) wrong.push("Home does not lead to the beginning");
  if (claims().every((c) => c.classList.contains("holds")) && +scrub.max > 0) wrong.push("every claim is known before anything has happened");
  let ticked = 0;
  for (let k = 0; k < +scrub.max; k++) {
    press("ArrowRight");
    if (+scrub.value !== k + 1) wrong.push("step " + (k + 1) + " leads to " + scrub.value);
    const n = claims().filter((c) => c.classList.contains("holds")).length;
    if (n < ticked) wrong.push("a claim is taken back at step " + (k + 1));
    ticked = n;
  }
  for (const c of claims()) if (!c.classList.contains("holds")) wrong.push("does not hold: " + c.textContent);
  if (!claims().length) wrong.push("no claims");
  const ladders = document.querySelectorAll(".ladder"), plots = document.querySelectorAll(".plot");
  if (!ladders.length && !plots.length) wrong.push("no figure");
  for (const el of document.querySelectorAll(".ladder .touch")) if (!el.getAttribute("aria-label")) wrong.push("a segment without a name");
  const rows = document.querySelectorAll("#twin tbody tr").length;
  if (ladders.length && !rows && +scrub.max > 0) wrong.push("no list beside the ladder");
  const wide = document.documentElement.scrollWidth, room = document.documentElement.clientWidth;
  if (wide > room) wrong.push("scrolls sideways: " + wide + " px in a window of " + room);
  for (const svg of document.querySelectorAll("svg")) if (/NaN|undefined/.test(svg.outerHTML)) wrong.push("NaN in a picture");
  if (/undefined|NaN|\[object/.test($("main").textContent)) wrong.push("undefined in the text");
  return wrong.slice(0, 8);
})`

// Each scenario plays to its end, its claims hold there, and not all of them
// before it began; on a wide page in English, and on a telephone in Chinese.
func TestScenarios(t *testing.T) {
	h := shared(t)
	for name, c := range map[string]struct {
		width    int64
		fragment string
	}{"1440 px, English": {1440, "#refused?lang=en"}, "375 px, Chinese": {375, "#handshake?lang=zh"}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := page(t, c.width, c.fragment)
			for _, name := range scenarios(t, h) {
				for _, w := range value[[]string](b, everything+`("`+name+`")`) {
					t.Errorf("%s: %s", name, w)
				}
			}
		})
	}
}

// scenarios are the names of all, as the command lists them.
func scenarios(t *testing.T, h *house) []string {
	out, err := exec.Command(h.command, "lab", "list", "--json").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []struct{ Name string }
	if err := json.Unmarshal(out, &list); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, x := range list {
		names = append(names, x.Name)
	}
	if len(names) < 30 {
		t.Fatalf("only %d scenarios", len(names))
	}
	return names
}

// Play plays: the clock goes on by itself, the button says pause, and at the
// end it stops.
func TestPlay(t *testing.T) {
	b := page(t, 1440, "#refused")
	b.eval(`Object.assign(document.querySelector(".transport select"), {value: 4}).dispatchEvent(new Event("change"))`)
	b.click("[data-key=play]")
	b.until(`document.querySelector("[data-key=play]").getAttribute("aria-label") === "Pause" && +document.querySelector(".scrub").value > 0`)
	b.must(`document.querySelector(".ladder .now-line").style.display !== "none"`)
	b.until(`document.querySelector("[data-key=play]").getAttribute("aria-label") === "Play" && document.querySelector(".scrub").value === document.querySelector(".scrub").max`)
	b.must(`document.querySelector(".ladder").classList.contains("whole")`)
}
