// Taking the run away: a link, a capture, a picture, a script.
import { h, announce, download } from "./dom.js";
import { say, lang, tx } from "./prefs.js";

const kinds = ["pcapng", "svg", "script-a", "script-b", "text", "json"];

/** exportRow offers them for the present experiment; command: the element with its command line. */
export function exportRow(engine, experiment, command) {
  const told = h("span", { class: "small", role: "status" });
  const tell = (text) => {
    told.textContent = text;
    announce(text);
  };
  const save = async (kind) => {
    const f = await engine.export(kind, { ...experiment(), at: undefined, lang: lang() });
    if (f.problem) return tell(tx(f.problem));
    download(f.name, f.type, f.data);
    tell(say("saved", { name: f.name }));
  };
  return h(
    "section",
    { class: "block controls" },
    h("h2", null, say("export-title")),
    h(
      "div",
      { class: "row" },
      h(
        "button",
        { type: "button", "data-act": "copy-link", onclick: () => copyLink(engine, experiment(), tell) },
        say("copy-link"),
      ),
      kinds.map((k) => h("button", { type: "button", "data-export": k, onclick: () => save(k) }, say(`export-${k}`))),
      told,
    ),
    h("p", { class: "small command" }, say("in-terminal"), " ", command),
  );
}

async function copyLink(engine, experiment, tell) {
  const link = await engine.format({ ...experiment, lang: lang() });
  const url = `${location.origin}${location.pathname}#${link}`;
  try {
    await navigator.clipboard.writeText(url);
    tell(say("copied"));
  } catch {
    tell(url);
  }
}
