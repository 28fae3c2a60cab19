// The tables of a scenario that measures.
import { h } from "./dom.js";
import { tx } from "./prefs.js";

/** figuresTable shows one of them. Cells that are prose are set as prose. */
export function figuresTable(t) {
  const prose = (c) => tx(c).length > 22;
  return h(
    "section",
    { class: "block" },
    h("h2", null, tx(t.title)),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": tx(t.title) },
      h(
        "table",
        { class: "figures" },
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            t.heads.map((c) => h("th", { scope: "col" }, tx(c))),
          ),
        ),
        h(
          "tbody",
          null,
          t.rows.map((r) =>
            h(
              "tr",
              null,
              r.map((c, i) =>
                i ? h("td", { class: prose(c) ? "prose" : null }, tx(c)) : h("th", { scope: "row" }, tx(c)),
              ),
            ),
          ),
        ),
      ),
    ),
    tx(t.below) ? h("p", { class: "small" }, tx(t.below)) : null,
  );
}
