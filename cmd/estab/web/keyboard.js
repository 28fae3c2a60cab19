// Keys that work anywhere on the page, except where one writes.

/** keyboard listens. what: {chapter(), contents(), help()}. */
export function keyboard(what) {
  document.addEventListener("keydown", (ev) => {
    const el = ev.target;
    if (ev.ctrlKey || ev.metaKey || ev.altKey || document.querySelector("dialog[open]")) return;
    if (el.closest?.("input, select, textarea")) return;
    const player = what.chapter()?.player;
    const act = {
      " ": !el.closest?.("button, a, summary, [role=button]") && player && (() => player.toggle()),
      ArrowRight: player && (() => player.step(1)),
      ArrowLeft: player && (() => player.step(-1)),
      Home: player && (() => player.step(-1e9)),
      End: player && (() => player.step(1e9)),
      "/": what.contents,
      "?": what.help,
    }[ev.key];
    if (!act) return;
    ev.preventDefault();
    act();
    if (ev.key === "/") document.querySelector("#search")?.focus();
  });
}
