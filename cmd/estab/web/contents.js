// The table of contents, with search.
import { h } from "./dom.js";
import { tx, say } from "./prefs.js";

/** toc lists all scenarios by section. here: the one that is open. */
export function toc(catalog, here) {
  const list = h("div");
  const field = h("input", {
    type: "search",
    id: here === undefined ? "search-home" : "search",
    placeholder: say("search"),
    "aria-label": say("search"),
    oninput: () => fill(list, catalog, field.value, here),
  });
  fill(list, catalog, "", here);
  return h(
    "nav",
    { class: "toc", "aria-label": say("contents") },
    h(
      "div",
      { class: "toc-search" },
      h("h2", { id: here === undefined ? null : "contents-title" }, say("contents")),
      field,
    ),
    list,
  );
}

function fill(list, catalog, query, here) {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const hit = (sec, x) => {
    const text = [x.name, x.title.en, x.title.zh, x.intro.en, x.intro.zh, sec.title.en, sec.title.zh]
      .join(" ")
      .toLowerCase();
    return words.every((w) => text.includes(w));
  };
  const sections = catalog.sections
    .map((sec) => ({ sec, found: sec.scenarios.filter((x) => hit(sec, x)) }))
    .filter((x) => x.found.length);
  list.replaceChildren(
    ...sections.map(({ sec, found }) =>
      h(
        "section",
        null,
        h("div", { class: "n" }, String(sec.n)),
        h("h3", null, tx(sec.title)),
        h(
          "ul",
          null,
          found.map((x) =>
            h("li", null, h("a", { href: `#${x.name}`, "aria-current": x.name === here ? "page" : null }, tx(x.title))),
          ),
        ),
      ),
    ),
  );
  if (!sections.length) list.append(h("p", { class: "none" }, say("nothing-found", { query })));
}

/** find is a scenario of the catalogue with its neighbours: {x, before, after}. */
export function find(catalog, name) {
  const all = catalog.sections.flatMap((sec) => sec.scenarios),
    i = all.findIndex((x) => x.name === name);
  if (i >= 0) return { x: all[i], before: all[i - 1], after: all[i + 1] };
  return { x: catalog.sandbox };
}
