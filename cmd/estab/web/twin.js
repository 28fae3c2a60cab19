// The ladder as a list, for those who read with their ears or prefer words.
import { h } from "./dom.js";
import { tx, say } from "./prefs.js";
import { clock } from "./numbers.js";
import { refusal } from "./label.js";

/** whatHappens says a moment in a sentence. */
export function whatHappens(world, m) {
  const who = world.hosts.map((x) => x.name);
  const states = m.states.map((st) => `${who[st.host]}: ${st.to}`).join(", ");
  let text = "";
  if (m.packet >= 0) {
    const p = world.packets[m.packet];
    if (m.kind === "leave")
      text = say(p.arrives.length ? "sends" : "sends-lost", {
        who: who[p.from],
        what: p.flags,
        again: p.again ? say("again") : "",
      });
    else
      text = say(refusal(p, m.copy) ? "gets-dropped" : "gets", {
        who: who[m.host],
        what: p.flags,
        why: tx(refusal(p, m.copy)),
      });
  }
  if (m.kind === "fold") text = tx(world.folds[m.fold].text);
  if (m.notes.length) text = `${m.host >= 0 ? `${who[m.host]}: ` : ""}${m.notes.map((n) => tx(n.text)).join("; ")}`;
  return [text, states].filter(Boolean).join(" → ");
}

/** twin is the list of a world. */
export function twin(col, change) {
  const { world, moments } = col;
  return h(
    "div",
    { class: "twin" },
    col.title ? h("h3", null, col.title) : null,
    h("p", null, tx(world.summary)),
    h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": say("twin-title") },
      h(
        "table",
        null,
        h(
          "thead",
          null,
          h(
            "tr",
            null,
            ["when", "happens", "state-a", "state-b", "change"].map((k) => h("th", { scope: "col" }, say(k))),
          ),
        ),
        h("tbody", null, list(world, moments, change)),
      ),
    ),
  );
}

function list(world, moments, change) {
  const now = world.hosts.map((x) => x.state);
  return moments.flatMap((m) => {
    for (const st of m.states) now[st.host] = st.to;
    const rows = m.tales.map((t) => h("tr", { class: "tale" }, h("td"), h("td", { colspan: 4 }, tx(t.text))));
    const said = m.kind === "leave" ? tx(world.packets[m.packet].say) : whatHappens(world, { ...m, states: [] });
    if (said || m.states.length)
      rows.push(
        h(
          "tr",
          null,
          h("td", null, clock(m.t)),
          h(
            "td",
            null,
            said ||
              m.states
                .map((st) => tx(st.why))
                .filter(Boolean)
                .join("; "),
          ),
          h("td", null, now[0]),
          h("td", null, now[1]),
          h(
            "td",
            null,
            m.kind === "leave" && change
              ? h(
                  "button",
                  {
                    type: "button",
                    "aria-label": `${say("change")}: ${tx(world.packets[m.packet].say)}`,
                    onclick: (ev) => change(m.packet, ev.currentTarget),
                  },
                  "…",
                )
              : null,
          ),
        ),
      );
    return rows;
  });
}
