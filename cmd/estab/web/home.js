// The first page: what this is, where to begin, the contents.
import { h } from "./dom.js";
import { say } from "./prefs.js";
import { toc } from "./contents.js";

/** home is the first page. */
export function home(catalog) {
  const start = (href, key) =>
    h("li", null, h("a", { href }, h("b", null, say(`${key}-title`)), h("span", null, say(`${key}-text`))));
  return [
    h(
      "section",
      { class: "title-page" },
      h("p", { class: "kicker" }, say("home-kicker")),
      h("h1", null, say("home-title")),
      h("p", { class: "lead" }, say("home-lead")),
      h(
        "ul",
        { class: "starts" },
        start("#handshake", "start-open"),
        start("#stale-syn", "start-two"),
        start("#four-way-close", "start-close"),
        start("#sandbox", "start-sandbox"),
      ),
      h("p", { class: "small" }, say("home-how")),
    ),
    toc(catalog),
  ];
}
