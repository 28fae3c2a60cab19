// The strip at the foot of the figure: what happens now, and the keys to play.
import { h, s } from "./dom.js";
import { say } from "./prefs.js";
import { clock } from "./numbers.js";

const icons = {
  first: "M2 2h2v12H2zM14 2v12L5 8z",
  back: "M12 2v12L3 8z",
  play: "M3 1.5v13L14 8z",
  pause: "M3 2h4v12H3zM9 2h4v12H9z",
  next: "M4 2v12l9-6z",
  last: "M12 2h2v12h-2zM2 2v12l9-6z",
};
const icon = (name) => s("svg", { viewBox: "0 0 16 16", "aria-hidden": "true" }, s("path", { d: icons[name] }));

/** transport makes the strip for a player. */
export function transport(player) {
  const key = (name, act) =>
    h(
      "button",
      { type: "button", "aria-label": say(`key-${name}`), title: say(`key-${name}`), "data-key": name, onclick: act },
      icon(name),
    );
  const play = key("play", () => player.toggle());
  play.classList.add("main");
  const scrub = h("input", {
    type: "range",
    class: "scrub",
    min: 0,
    max: 1,
    step: 1,
    value: 0,
    "aria-label": say("scrub"),
    oninput: () => {
      player.stop();
      player.go(+scrub.value);
    },
  });
  const time = h("output", { class: "clock" }),
    chips = h("div", { class: "chips" }),
    now = h("p", { class: "now" });
  const speed = h(
    "select",
    {
      "aria-label": say("speed"),
      onchange: () => {
        player.speed = +speed.value;
      },
    },
    [0.25, 0.5, 1, 2, 4].map((v) => h("option", { value: v, selected: v === player.speed }, `${v}×`)),
  );
  const extra = h("div", { class: "extra" });
  let pace;
  const root = h(
    "div",
    { class: "transport", role: "group", "aria-label": say("transport") },
    extra,
    now,
    h(
      "div",
      { class: "keys" },
      h(
        "div",
        { class: "buttons" },
        key("first", () => player.step(-1e9)),
        key("back", () => player.step(-1)),
        play,
        key("next", () => player.step(1)),
        key("last", () => player.step(1e9)),
      ),
      scrub,
      time,
      h("label", { class: "small" }, h("span", { class: "unseen" }, say("speed")), speed),
    ),
    h("div", { class: "foot small" }, chips, (pace = h("span", { class: "why" }))),
  );
  let shown = null;
  return {
    root,
    extra,
    /** show tells where the player stands. */
    show({ pos, count, t, text, what, states, byEvents, hold, claims }) {
      pace.textContent = say(byEvents ? "pace" : "pace-time");
      scrub.max = count;
      scrub.value = pos;
      scrub.setAttribute("aria-valuetext", `${clock(t)}. ${what}`);
      time.textContent = clock(t);
      if (shown !== player.playing) {
        shown = player.playing;
        const name = shown ? "pause" : "play";
        play.replaceChildren(icon(name));
        play.setAttribute("aria-label", say(`key-${name}`));
        play.title = say(`key-${name}`);
      }
      now.replaceChildren(h("span", null, text ? [text, " "] : null, h("span", { class: "what" }, what)));
      chips.replaceChildren(
        ...states.map(([name, state]) => h("span", null, h("b", null, name), state)),
        claims ? h("span", { class: "held", title: say("claims-title") }, h("b", null, "✓"), `${hold}/${claims}`) : "",
      );
    },
  };
}
