// The card of a segment: its header, what became of it, and what the reader
// may do to it.
import { h } from "./dom.js";
import { tx, say } from "./prefs.js";
import { clock } from "./numbers.js";
import { rows } from "./label.js";
import { faultOf, withFault, withoutFault } from "./faults.js";

let open = null;

/** closeCard closes the card that is open. */
export function closeCard() {
  if (!open) return;
  const { root, from } = open;
  open = null;
  root.remove();
  document.removeEventListener("pointerdown", outside);
  if (from.isConnected) from.focus({ preventScroll: true });
}

function outside(ev) {
  if (open && !open.root.contains(ev.target) && ev.target !== open.from) closeCard();
}

/** openCard shows a packet's; act(faults, packet) computes the run again; null: look only. */
export function openCard(p, from, faults, act) {
  closeCard();
  const mine = faultOf(faults, p.id);
  const put = (line) => {
    closeCard();
    act(line ? withFault(faults, p.id, line) : withoutFault(faults, p.id), p);
  };
  const timed = (verb, value) => {
    const field = h("input", { type: "text", value, size: 6, "aria-label": say(`act-${verb}-time`) });
    return h(
      "form",
      {
        onsubmit: (ev) => {
          ev.preventDefault();
          put(`${verb} ${p.id} ${field.value.trim()}`);
        },
      },
      h("button", { "data-act": verb }, say(`act-${verb}`)),
      field,
    );
  };
  const acts = [];
  if (act) {
    if (mine)
      acts.push(
        h(
          "button",
          { type: "button", class: "main", "data-act": "pass", onclick: () => put(null) },
          say("act-pass", { line: mine }),
        ),
      );
    else if (p.struck) acts.push(h("p", { class: "small" }, say("act-scripted", { line: p.struck })));
    if (!mine?.startsWith("lose"))
      acts.push(
        h("button", { type: "button", "data-act": "lose", onclick: () => put(`lose ${p.id}`) }, say("act-lose")),
      );
    acts.push(timed("delay", "2s"), timed("double", "1s"));
  }
  const root = h(
    "div",
    { class: "card", role: "dialog", tabindex: "-1", "aria-label": tx(p.say) },
    h("h3", null, say("card-title", { id: p.id.replace(":", " · ") })),
    h(
      "dl",
      null,
      rows(p, clock).map(([k, v]) => [h("dt", null, k), h("dd", null, v)]),
      [p.dropped, p.twin].filter(Boolean).map((why) => [h("dt", null, say("card-dropped")), h("dd", null, tx(why))]),
    ),
    h("div", { class: "acts" }, acts),
    h("button", { type: "button", class: "close icon", "aria-label": say("close"), onclick: closeCard }, "×"),
  );
  root.addEventListener("keydown", (ev) => {
    ev.stopPropagation();
    if (ev.key === "Escape") closeCard();
  });
  document.body.append(root);
  stand(root, from);
  open = { root, from };
  document.addEventListener("pointerdown", outside);
  root.focus({ preventScroll: true });
}

// stand puts the card beside the figure if there is room, otherwise below the
// segment; always within the window and above the transport.
function stand(root, from) {
  const r = from.getBoundingClientRect(),
    w = root.offsetWidth,
    tall = root.offsetHeight;
  const low = innerHeight - (document.querySelector(".transport")?.offsetHeight ?? 0) - 8;
  const figure = from.closest("svg")?.getBoundingClientRect() ?? r;
  const beside = figure.right + 10 + w < innerWidth;
  const x = beside ? figure.right + 6 : Math.max(10, Math.min(innerWidth - w - 10, r.left + r.width / 2 - w / 2));
  let y = beside ? r.top + r.height / 2 - tall / 2 : r.bottom + 8;
  if (!beside && y + tall > low) y = r.top - tall - 8 > 8 ? r.top - tall - 8 : low - tall;
  y = Math.max(8, Math.min(y, low - tall));
  root.style.left = `${x + scrollX}px`;
  root.style.top = `${y + scrollY}px`;
}
