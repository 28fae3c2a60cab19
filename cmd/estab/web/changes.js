// What the reader changed, and what came of it: the difference to the
// untouched run.
import { h } from "./dom.js";
import { tx, say } from "./prefs.js";
import { clock } from "./numbers.js";

/** changesBox tells the difference; on: {undo, reset}. */
export function changesBox(result, catalog, on) {
  const { experiment: x, diff } = result;
  const chips = [
    ...(x.faults ?? []).map((line) => chip(line, () => on.undo({ fault: line }))),
    ...Object.entries(x.set ?? {}).map(([k, v]) =>
      chip(`${tx(catalog.params.find((p) => p.name === k)?.title) || k} = ${v}`, () => on.undo({ set: k })),
    ),
    ...(x.scripts ?? []).map((text, i) =>
      text ? chip(say("own-script", { n: i + 1 }), () => on.undo({ script: i })) : null,
    ),
  ];
  const claims = (diff?.claims ?? []).map((c) =>
    h("li", null, `${say(`claim-${c.is}`)}: ${tx(result.claims[c.claim].text)}`),
  );
  const paths = (diff?.worlds ?? []).flatMap((w, i) =>
    [0, 1].filter((host) => w.states[host]).map((host) => path(result, w, i, host)),
  );
  const ends = (diff?.worlds ?? [])
    .map((w, i) =>
      Math.abs(w.end - result.worlds[i].end) > 1e-6
        ? h(
            "li",
            null,
            tx(result.worlds[i].name) ? [h("b", null, tx(result.worlds[i].name)), " "] : null,
            say("ends", { now: clock(result.worlds[i].end), was: clock(w.end) }),
          )
        : null,
    )
    .filter(Boolean);
  return h(
    "section",
    { class: "changes", "aria-label": say("changed") },
    h("p", null, h("b", null, say("changed")), " ", diff ? tx(diff.summary) : ""),
    h("ul", { class: "faults" }, chips),
    paths.length || ends.length || claims.length ? h("ul", { class: "what" }, paths, ends, claims) : null,
    result.worlds.some((w) => w.story.length) ? h("p", { class: "small" }, say("story-untouched")) : null,
    h("button", { type: "button", "data-act": "reset", onclick: on.reset }, say("undo-all")),
  );
}

function chip(text, undo) {
  return h(
    "li",
    null,
    h("code", null, text),
    h("button", { type: "button", "aria-label": `${say("undo")}: ${text}`, title: say("undo"), onclick: undo }, "×"),
  );
}

function path(result, w, i, host) {
  const world = result.worlds[i],
    is = world.states[host].map((st) => st.to);
  const arrow = (list) => (list.length ? list.join(" → ") : "–");
  return h(
    "li",
    null,
    h("b", null, [tx(world.name), world.hosts[host].name].filter(Boolean).join(", ")),
    ` ${say("was")} `,
    h("span", { class: "small" }, arrow(w.was[host])),
    ` ${say("is")} `,
    arrow(is),
  );
}
