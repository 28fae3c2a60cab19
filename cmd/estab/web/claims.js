// What the run must bear out, ticked as it becomes true.
import { h } from "./dom.js";
import { tx, say } from "./prefs.js";

/** claimList shows claims; show(t, atEnd) ticks those that hold by then. */
export function claimList(claims) {
  const items = claims.map((c) =>
    h(
      "li",
      null,
      h(
        "span",
        null,
        tx(c.text),
        c.state !== "holds" &&
          h(
            "span",
            { class: "why" },
            c.state === "moot" ? [say("moot"), tx(c.reason)].filter(Boolean).join(say("colon")) : tx(c.reason),
          ),
      ),
    ),
  );
  const root = h("ul", { class: "claims" }, items);
  return {
    root,
    /** show returns how many hold by then. */
    show(t, atEnd) {
      let hold = 0;
      claims.forEach((c, i) => {
        const known = atEnd || (c.state === "holds" && c.since !== null && c.since <= t);
        const state = known ? c.state : "open";
        if (state === "holds") hold++;
        items[i].className = state;
        items[i].setAttribute("aria-label", `${say(`claim-${state}`)}: ${tx(c.text)}`);
        const whyEl = items[i].querySelector(".why");
        if (whyEl) whyEl.hidden = !known;
      });
      return hold;
    },
  };
}
