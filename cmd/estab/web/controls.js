// Changing the experiment: parameters, defences, the scripts.
import { h } from "./dom.js";
import { tx, say } from "./prefs.js";

/** controls shows them for a result. apply(change) → problem or null, asynchronously. */
export function controls(catalog, result, first, apply) {
  const known = new Set(first);
  const shown = catalog.params.filter((p) => known.has(p.name)),
    more = catalog.params.filter((p) => !known.has(p.name));
  const touched = more.some((p) => result.experiment.set?.[p.name] !== undefined);
  return h(
    "section",
    { class: "block controls", id: "change" },
    h("h2", null, say("change-title")),
    h("p", null, say("change-lead")),
    h(
      "div",
      { class: "params" },
      shown.map((p) => param(p, result, apply)),
    ),
    h(
      "details",
      { class: "more", open: touched },
      h("summary", null, say("more-params")),
      catalog.groups.map((g) => {
        const here = more.filter((p) => p.group === g.name);
        return here.length
          ? [
              h("h3", { class: "kicker" }, tx(g.title)),
              h(
                "div",
                { class: "params" },
                here.map((p) => param(p, result, apply)),
              ),
            ]
          : null;
      }),
    ),
    scripts(catalog, result, apply),
  );
}

function param(p, result, apply) {
  const set = result.experiment.set?.[p.name],
    id = `p-${p.name}`;
  const field =
    p.kind === "switch" || p.kind === "choice"
      ? choice(p, set, result.values[p.name])
      : text(p, set, result.values[p.name]);
  field.id = id;
  const wrong = h("p", { class: "error", role: "alert" });
  field.addEventListener("change", async () => {
    const problem = await apply({ set: { [p.name]: field.value.trim() } });
    wrong.textContent = tx(problem);
    field.toggleAttribute("aria-invalid", Boolean(problem));
    if (problem) field.setAttribute("aria-invalid", "true");
  });
  return h(
    "div",
    { class: `param${set !== undefined ? " changed" : ""}` },
    h("label", { for: id }, tx(p.title)),
    h("div", { class: "field" }, field),
    h("span", { class: "help" }, tx(p.help)),
    wrong,
  );
}

function text(p, set, value) {
  return h("input", {
    type: "text",
    value: set ?? "",
    placeholder: value || p.default || say("as-scenario"),
    autocomplete: "off",
    spellcheck: "false",
  });
}

function choice(p, set, value) {
  const options = p.kind === "switch" ? ["on", "off"] : (p.choices ?? []);
  const name = (v) => (v === "on" || v === "off" ? say(v) : v);
  return h(
    "select",
    null,
    h("option", { value: "" }, value ? `${say("as-scenario")} (${name(value)})` : say("as-scenario")),
    options.map((v) => h("option", { value: v, selected: set === v }, name(v))),
  );
}

function scripts(catalog, result, apply) {
  const all = () =>
    h(
      "div",
      { class: "scripts" },
      result.worlds.map((w, i) => script(w, i, result, apply)),
    );
  return [
    h("h3", { class: "kicker", style: "margin-top:1.6rem" }, say("scripts-title")),
    h("p", { class: "small" }, say("scripts-lead")),
    result.worlds.length > 4
      ? h(
          "details",
          { class: "more", open: Boolean(result.experiment.scripts?.some(Boolean)) },
          h("summary", null, say("all-scripts", { n: result.worlds.length })),
          all(),
        )
      : all(),
    h(
      "details",
      { class: "more" },
      h("summary", null, say("words-title")),
      h(
        "dl",
        { class: "words" },
        catalog.words.map((x) => [h("dt", null, x.form), h("dd", null, tx(x.help))]),
      ),
    ),
  ];
}

function script(world, i, result, apply) {
  const id = `script-${i}`,
    area = h("textarea", {
      id,
      rows: Math.min(16, world.script.split("\n").length + 1),
      spellcheck: "false",
      autocapitalize: "off",
    });
  area.value = world.script.replace(/^\n+|\s+$/g, "") + "\n";
  const wrong = h("p", { class: "error", role: "alert" });
  const run = async () => {
    clearTimeout(wait);
    const problem = await apply({ script: [i, area.value] });
    wrong.textContent = problem
      ? (problem.where?.line ? `${say("line", { n: problem.where.line })}: ` : "") + tx(problem)
      : "";
    if (problem) area.setAttribute("aria-invalid", "true");
    else area.removeAttribute("aria-invalid");
  };
  let wait = 0;
  area.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(run, 600);
  });
  area.addEventListener("keydown", (ev) => {
    if (ev.key === "Enter" && (ev.ctrlKey || ev.metaKey)) run();
  });
  const own = result.experiment.scripts?.[i];
  return h(
    "div",
    null,
    h("label", { for: id }, tx(world.name) || say("script-of-both")),
    area,
    wrong,
    own
      ? h("button", { type: "button", onclick: () => apply({ script: [i, ""], redraw: true }) }, say("script-reset"))
      : null,
  );
}
