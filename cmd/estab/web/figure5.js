// RFC 9293's figure 5 with the current states lit and the path so far.
import { h, s } from "./dom.js";
import { tx, say } from "./prefs.js";

// The boxes are drawn larger than the table has them: the picture is small.
const W = 184,
  H = 44,
  mid = (x) => x.x + x.w / 2;

/** figure5 draws the engine's own table of transitions. */
export function figure5(catalog) {
  const paths = new Map(),
    boxes = new Map(),
    at = new Map(catalog.states.map((x) => [x.name, x]));
  const svg = s("svg", { class: "five", viewBox: "46 -6 660 556", role: "img", "aria-label": say("five-title") });
  for (const a of catalog.arrows) {
    const el = s(
      "path",
      { d: a.d },
      s("title", null, `${a.from} → ${a.to}: ${tx(a.event)}${tx(a.action) ? ` / ${tx(a.action)}` : ""}`),
    );
    paths.set(`${a.from}>${a.to}`, { el, a });
    svg.append(el);
  }
  for (const x of catalog.states) {
    const g = s(
      "g",
      null,
      s("rect", { x: mid(x) - W / 2, y: x.y + x.h / 2 - H / 2, width: W, height: H, rx: 6 }),
      s("text", { class: "n", x: mid(x), y: x.y + x.h / 2 + 8 }, x.name),
      s("title", null, tx(x.text)),
    );
    boxes.set(x.name, g);
    svg.append(g);
  }
  const tokens = [0, 1].map((i) =>
    s(
      "g",
      { class: "token-of" },
      i
        ? s("rect", { class: "token", width: 34, height: 32, x: -17, y: -16, rx: 4 })
        : s("circle", { class: "token", r: 18 }),
      s("text", { class: "token-text", y: 7 }, "AB"[i]),
    ),
  );
  svg.append(...tokens);
  const last = h("p", { class: "five-last" });
  return {
    root: h("div", null, svg, last),
    /** show lights the states and the transitions made so far, [[{from, to, why}], …] by host. */
    show(states, made) {
      for (const { el, a } of paths.values()) el.setAttribute("class", a.rare ? "rare" : "");
      for (const g of boxes.values()) g.removeAttribute("class");
      for (const list of made) {
        for (const st of list) {
          paths.get(`${st.from}>${st.to}`)?.el.setAttribute("class", "been");
          boxes.get(st.from)?.setAttribute("class", "been");
          boxes.get(st.to)?.setAttribute("class", "been");
        }
      }
      for (const list of made)
        if (list.length) paths.get(`${list.at(-1).from}>${list.at(-1).to}`)?.el.setAttribute("class", "last");
      states.forEach((name, i) => {
        const box = at.get(name);
        tokens[i].style.display = box ? "" : "none";
        if (!box) return;
        boxes.get(name).setAttribute("class", "on");
        tokens[i].setAttribute(
          "transform",
          `translate(${mid(box) + (i ? W / 2 - 8 : 8 - W / 2)} ${box.y + box.h / 2 - H / 2 - 11})`,
        );
      });
      svg.setAttribute("aria-label", say("five-label", { a: states[0], b: states[1] }));
      last.replaceChildren(
        ...made
          .map((list, i) => {
            const st = list.at(-1);
            return st
              ? h("span", { style: "display:block" }, h("b", null, "AB"[i]), ` ${st.from} → ${st.to}`, why(st, paths))
              : null;
          })
          .filter(Boolean),
      );
    },
  };
}

function why(st, paths) {
  const a = paths.get(`${st.from}>${st.to}`)?.a;
  const text = tx(st.why) || (a ? `${tx(a.event)}${tx(a.action) ? ` / ${tx(a.action)}` : ""}` : "");
  return text ? `: ${text}` : "";
}
