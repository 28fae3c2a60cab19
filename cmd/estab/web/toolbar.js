// The row above the figure: which worlds, compared or not, which numbers.
import { h } from "./dom.js";
import { tx, say } from "./prefs.js";

/** toolbar makes the row of a chapter; what is chosen is laid out at once. */
export function toolbar(chapter) {
  const { view } = chapter,
    all = chapter.withLadder();
  if (!all.length) return [];
  const choose = (what) => () => {
    Object.assign(view, what);
    chapter.layout();
  };
  const tab = (text, pressed, what) =>
    h("button", { type: "button", "aria-pressed": String(pressed), onclick: choose(what) }, text);
  const comparing = chapter.comparable() && view.compare;
  const parts = [];
  if (all.length > 1) {
    const abreast = chapter.fits >= all.length && !comparing;
    const first = !abreast && view.world === "all" ? all[0] : view.world;
    parts.push(
      h(
        "div",
        { class: "tabs" },
        abreast ? tab(say("side-by-side"), first === "all", { world: "all" }) : null,
        all.map((i) => tab(tx(chapter.result.worlds[i].name), first === i, { world: i })),
      ),
    );
  }
  if (chapter.comparable()) {
    const box = h("input", {
      type: "checkbox",
      id: "compare",
      checked: Boolean(view.compare),
      onchange: () => choose({ compare: box.checked })(),
    });
    parts.push(h("label", null, box, say("compare")));
    if (comparing && chapter.fits < 2)
      parts.push(
        h(
          "div",
          { class: "tabs" },
          tab(say("yours"), !view.untouched, { untouched: false }),
          tab(say("untouched"), Boolean(view.untouched), { untouched: true }),
        ),
      );
  }
  const numbers = h(
    "select",
    { id: "numbering", onchange: () => choose({ numbering: numbers.value })() },
    ["letters", "relative", "absolute"].map((v) =>
      h("option", { value: v, selected: v === view.numbering }, say(`numbers-${v}`)),
    ),
  );
  parts.push(h("label", null, say("numbering"), numbers));
  if (chapter.cols.some((c) => c.unfolded.size))
    parts.push(
      h("button", { type: "button", "data-act": "fold", onclick: choose({ unfolded: {} }) }, say("fold-again")),
    );
  parts.push(h("span", { class: "small" }, say("touch-hint")));
  return parts;
}
