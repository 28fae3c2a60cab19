// The sandbox: two hosts, buttons for what their programs do, and sliders for
// the path. A button writes a line of the script at the present moment; the
// run is computed again, and the past comes out the same.
import { h } from "./dom.js";
import { say, tx } from "./prefs.js";

const doing = [
  ["listen"],
  ["connect"],
  ['send "hello"', "send"],
  ["send 20000", "send-much"],
  ["shut"],
  ["close"],
  ["abort"],
  ["stop-reading"],
  ["read"],
  ["crash"],
  ["restart"],
];

const sliders = [
  { name: "delay", max: 500, step: 10, unit: "ms" },
  { name: "jitter", max: 200, step: 10, unit: "ms" },
  { name: "loss", max: 50, step: 1, unit: "%" },
  { name: "duplicate", max: 50, step: 1, unit: "%" },
  { name: "reorder", max: 50, step: 1, unit: "%" },
  { name: "corrupt", max: 50, step: 1, unit: "%" },
  { name: "rate", max: 10000, step: 250, unit: "kbit/s" }, // 0: as fast as one likes
];

const shown = (x, v) => (x.name === "rate" && v === 0 ? "∞" : `${v} ${x.unit}`);

/** bench makes the sandbox's controls: {path, programs}. */
export function bench(chapter) {
  const told = h("p", { class: "error", role: "alert" });
  const tell = (problem) => {
    told.textContent = tx(problem);
  };
  const act = async (who, line) => tell(await press(chapter, who, line));
  const button = (who, line, key) =>
    h("button", { type: "button", "data-do": `${who} ${key}`, onclick: () => act(who, line) }, say(`do-${key}`));
  const host = (who) =>
    h(
      "div",
      { class: "program", role: "group", "aria-label": say(who === "A" ? "bench-a" : "bench-b") },
      h("b", null, who),
      doing.map(([line, key]) => button(who, line, key ?? line)),
    );
  const programs = h(
    "div",
    { class: "programs", role: "group", "aria-label": say("bench-do") },
    host("A"),
    host("B"),
    told,
  );
  chapter.happened = (states, t) => enable(chapter, programs, states, t);
  const path = read(chapter.result.experiment.set ?? {});
  const slide = (x) => {
    const out = h("output", null, shown(x, path[x.name]));
    return h(
      "label",
      { class: "slider" },
      say(`path-${x.name}`),
      h("input", {
        type: "range",
        min: 0,
        max: x.max,
        step: x.step,
        value: path[x.name],
        "data-path": x.name,
        oninput: (ev) => {
          path[x.name] = +ev.target.value;
          out.textContent = shown(x, path[x.name]);
        },
        onchange: async () =>
          tell(
            await chapter.app.change(
              { ...chapter.result.experiment, set: write(chapter.result.experiment.set, path) },
              { slider: x.name },
            ),
          ),
      }),
      out,
    );
  };
  return {
    programs,
    path: h(
      "div",
      { class: "bench" },
      h(
        "details",
        { class: "path", open: innerWidth > 700 },
        h("summary", null, say("bench-path")),
        h("div", { class: "sliders" }, sliders.map(slide)),
        h(
          "div",
          { class: "row" },
          button("net", "cut", "cut"),
          button("net", "join", "join"),
          h("span", { class: "small" }, say("bench-how")),
        ),
      ),
      h(
        "div",
        { class: "row" },
        h(
          "button",
          {
            type: "button",
            class: "main",
            "data-do": "wait",
            onclick: () => chapter.player.play(quiet(chapter, chapter.player.pos + 1)),
          },
          say("do-wait"),
        ),
        h("button", { type: "button", "data-do": "undo", onclick: () => undo(chapter) }, say("undo")),
        h(
          "button",
          {
            type: "button",
            "data-do": "clear",
            onclick: () => chapter.app.change({ scenario: "sandbox" }, { keep: 0 }),
          },
          say("do-clear"),
        ),
      ),
    ),
  };
}

// What a program can do depends on its connection's state, and on whether its
// host is up.
const alive = [
  "SYN-SENT",
  "SYN-RECEIVED",
  "ESTABLISHED",
  "CLOSE-WAIT",
  "FIN-WAIT-1",
  "FIN-WAIT-2",
  "CLOSING",
  "LAST-ACK",
];
const sending = ["SYN-SENT", "ESTABLISHED", "CLOSE-WAIT"];
const can = {
  listen: (st) => st === "CLOSED",
  connect: (st) => st === "CLOSED" || st === "LISTEN",
  send: (st) => sending.includes(st),
  "send-much": (st) => sending.includes(st),
  shut: (st) => ["ESTABLISHED", "CLOSE-WAIT"].includes(st),
  close: (st) => alive.slice(0, 6).includes(st),
  abort: (st) => alive.includes(st),
  "stop-reading": (st) => alive.slice(2, 6).includes(st),
  read: (st) => alive.slice(2, 6).includes(st),
  crash: () => true,
  restart: () => false,
};

function enable(chapter, programs, states, now) {
  for (const b of programs.querySelectorAll("[data-do]")) {
    const [who, what] = b.dataset.do.split(" "),
      state = states[who === "A" ? 0 : 1];
    const down = lines(chapter)
      .filter((line) => timeOf(line) <= now + 1e-9)
      .findLast((line) => new RegExp(`\\s${who}\\s+(crash|restart)`).test(line))
      ?.includes("crash");
    b.disabled = down ? what !== "restart" : !can[what](state);
  }
}

const lines = (chapter) =>
  chapter.result.worlds[0].script
    .split("\n")
    .map((x) => x.trim())
    .filter(Boolean);

// The time of a line of the script, in seconds; of what is no step: -1.
function timeOf(line) {
  const m = /^(\d+(?:\.\d+)?)(ms|s|m|us|µs|h)?\s/.exec(line);
  if (!m) return -1;
  return +m[1] * ({ ms: 1e-3, us: 1e-6, µs: 1e-6, m: 60, h: 3600 }[m[2]] ?? 1);
}

// press adds a line at the present moment. What was to come after it in the
// script is dropped: from here on things go another way.
async function press(chapter, who, doing) {
  const all = lines(chapter),
    now = chapter.score.time(chapter.player.pos);
  const kept = all.filter((line) => timeOf(line) <= now + 1e-9);
  const last = Math.max(now, ...kept.map(timeOf), 0);
  const at = Math.round((last + (who === "B" && doing === "listen" && last === 0 ? 0 : 0.01)) * 1000) / 1000;
  return set(chapter, [...kept, `${at}s ${who} ${doing}`], { before: at });
}

async function undo(chapter) {
  const all = lines(chapter);
  if (all.length < 2) return;
  await set(chapter, all.slice(0, -1), "end");
}

async function set(chapter, list, keep) {
  const problem = await chapter.app.change(
    { ...chapter.result.experiment, scripts: [list.join("\n") + "\n"] },
    { keep },
  );
  if (!problem && keep !== "end") chapter.player.play(quiet(chapter, chapter.player.pos + 1));
  return problem;
}

// quiet is the position after a step from which for a while nothing happens.
function quiet(chapter, from) {
  const { list } = chapter.score;
  for (let k = from; k < list.length; k++) if (list[k].t - list[k - 1].t > 0.6) return k;
  return list.length;
}

// read finds the sliders in the words of tc-netem; a jitter stands behind the
// delay there.
function read(set) {
  const words = set.path ?? "",
    num = (re) => +(re.exec(words)?.[1] ?? 0);
  const ms = (text) => (text.endsWith("ms") ? parseFloat(text) : parseFloat(text) * 1000);
  const [, long, jitter] = /delay ([\d.]+m?s) ([\d.]+m?s)/.exec(words) ?? [];
  return {
    delay: ms(long ?? set.delay ?? "10ms"),
    jitter: jitter ? ms(jitter) : 0,
    rate: num(/rate ([\d.]+)kbit/),
    ...Object.fromEntries(rates.map((k) => [k, num(new RegExp(`${k} ([\\d.]+)%`))])),
  };
}

const rates = ["loss", "duplicate", "reorder", "corrupt"];

function write(set, path) {
  const words = rates.filter((k) => path[k]).map((k) => `${k} ${path[k]}%`);
  const out = { ...set };
  delete out.delay;
  delete out.path;
  if (path.jitter) words.unshift(`delay ${path.delay}ms ${path.jitter}ms`);
  else if (path.delay !== 10) out.delay = `${path.delay}ms`;
  if (path.rate) words.push(`rate ${path.rate}kbit`);
  if (words.length) out.path = words.join(" ");
  return out;
}
