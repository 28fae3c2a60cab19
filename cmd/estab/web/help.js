// The help panel: how to read a ladder, and the keys.
import { h } from "./dom.js";
import { say } from "./prefs.js";

const keys = [
  ["Space", "help-space"],
  ["← →", "help-step"],
  ["Home End", "help-ends"],
  ["Tab ↑ ↓", "help-segments"],
  ["Enter", "help-enter"],
  ["Esc", "help-esc"],
  ["/", "help-search"],
  ["?", "help-help"],
];

/** fillHelp writes the panel into a dialog. */
export function fillHelp(dialog) {
  dialog.replaceChildren(
    h(
      "div",
      { class: "sheet-head" },
      h("h2", { id: "help-title" }, say("help-title")),
      h("button", { type: "button", class: "icon", "aria-label": say("close"), onclick: () => dialog.close() }, "×"),
    ),
    h(
      "div",
      { class: "help" },
      h("h3", null, say("help-read-title")),
      ["help-read-1", "help-read-2", "help-read-3", "help-read-4", "help-read-5"].map((k) => h("p", null, say(k))),
      h("h3", null, say("help-keys-title")),
      h(
        "dl",
        null,
        keys.map(([k, t]) => [
          h(
            "dt",
            null,
            k.split(" ").map((x) => [h("kbd", null, x), " "]),
          ),
          h("dd", null, say(t)),
        ]),
      ),
      h("p", null, say("help-link")),
    ),
  );
}
