// Who allocates when: the bytes that both sides hold for the connection, step
// by step, in estab and as classic TCPs do it.
import { h } from "./dom.js";
import { say } from "./prefs.js";
import { bytes, clock } from "./numbers.js";

/** memoryTable is that of a world. */
export function memoryTable(world) {
  const now = [null, null],
    rows = [];
  const all = world.holdings.flatMap((list, host) => list.map((x) => ({ ...x, host }))).sort((a, b) => a.at - b.at);
  for (const x of all) {
    now[x.host] = x;
    const row = { at: x.at, sides: [...now] },
      last = rows.at(-1),
      key = (r) => r.sides.map((y) => `${y?.state} ${y?.bytes} ${y?.classic} ${y?.late}`).join();
    if (last && key(last) === key(row)) continue;
    if (
      last?.at === x.at &&
      last.sides[1 - x.host] === now[1 - x.host] &&
      (!last.sides[x.host] || last.sides[x.host].state === x.state)
    )
      rows.pop();
    rows.push(row);
  }
  const cell = (y, k) => h("td", null, y && y[k] ? bytes(y[k]) : "0");
  return h(
    "section",
    { class: "block" },
    h("h2", null, say("memory-title")),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": say("memory-title") },
      h(
        "table",
        { class: "figures memory" },
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            h("th", { scope: "col", rowspan: 2 }, say("when")),
            ["A", "B"].map((x, i) => h("th", { scope: "colgroup", colspan: i ? 3 : 4 }, x)),
          ),
          h(
            "tr",
            null,
            h("th", { scope: "col" }, say("state")),
            h("th", { scope: "col" }, "estab"),
            h("th", { scope: "col" }, say("memory-classic-1")),
            h("th", { scope: "col" }, say("memory-classic-3")),
            h("th", { scope: "col" }, say("state")),
            h("th", { scope: "col" }, "estab"),
            h("th", { scope: "col" }, say("memory-classic-2")),
          ),
        ),
        h(
          "tbody",
          null,
          rows.map((r) =>
            h(
              "tr",
              null,
              h("th", { scope: "row" }, clock(r.at)),
              h("td", null, r.sides[0]?.state ?? world.hosts[0].state),
              cell(r.sides[0], "bytes"),
              cell(r.sides[0], "classic"),
              cell(r.sides[0], "late"),
              h("td", null, r.sides[1]?.state ?? world.hosts[1].state),
              cell(r.sides[1], "bytes"),
              cell(r.sides[1], "classic"),
            ),
          ),
        ),
      ),
    ),
    h("p", { class: "small" }, say("memory-below")),
  );
}
