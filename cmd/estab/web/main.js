// The page: loads the engine, follows the address bar, shows what it names.
import { load } from "./engine.js";
import { $, announce } from "./dom.js";
import { lang, onPrefs, say, sayAll, setLang, setTheme, theme, tx } from "./prefs.js";
import { bytes } from "./numbers.js";
import { home } from "./home.js";
import { toc } from "./contents.js";
import { fillHelp } from "./help.js";
import { Chapter } from "./chapter.js";
import { bench } from "./sandbox.js";
import { keyboard } from "./keyboard.js";
import { closeCard } from "./card.js";

const page = $("#page"),
  app = { change, notice };
let chapter = null,
  views = {},
  bases = new Map();

function notice(text) {
  const el = $("#notice");
  el.hidden = !text;
  el.replaceChildren(text ?? "");
  if (!text) return;
  const shut = document.createElement("button");
  shut.type = "button";
  shut.textContent = "×";
  shut.setAttribute("aria-label", say("close"));
  shut.onclick = () => notice("");
  el.append(shut);
}

// compute runs an experiment, and says so if it takes its time.
async function compute(experiment, options) {
  const bar = $("#busy"),
    wait = setTimeout(() => {
      bar.hidden = false;
      bar.textContent = say("busy");
    }, 200);
  try {
    return await app.engine.run({ ...experiment, lang: undefined, at: undefined }, options);
  } finally {
    clearTimeout(wait);
    bar.hidden = true;
  }
}

/** change runs another experiment of the open scenario; the problem, if there is one. */
async function change(experiment, how = {}) {
  const result = await compute(experiment);
  if (!result) return null; // overtaken by a later change
  if (result.problem) return Object.assign(result.problem, { where: result.where });
  notice("");
  const link = linkOf(result);
  if (`#${link}` !== location.hash)
    history[how.typing || how.slider ? "replaceState" : "pushState"](null, "", `#${link}`);
  await show(result, how);
  return null;
}

// linkOf is a result's link, with the language as long as the address has one.
function linkOf(result) {
  const had = /[?&]lang=/.test(location.hash);
  return had ? `${result.link}${result.link.includes("?") ? "&" : "?"}lang=${lang()}` : result.link;
}

// show puts a result on the page: into the open chapter if it is of the same
// scenario.
async function show(result, how = {}) {
  const base = result.touched ? await untouched(result.scenario.name) : null;
  if (chapter && chapter.result.scenario.name === result.scenario.name) {
    chapter.update(result, base, how);
  } else {
    open(new Chapter(app, result, base, (views[result.scenario.name] ??= {})), result, how.keep);
  }
  document.title = `${tx(result.scenario.title)} — estab`;
}

function open(next, result, keep) {
  closeCard();
  chapter?.player.stop();
  chapter = next;
  chapter.attached = () => {
    if (!chapter.sandbox) return;
    const { path, programs } = bench(chapter);
    chapter.bench.replaceChildren(path);
    chapter.transport.extra.replaceChildren(programs);
  };
  page.replaceChildren(chapter.root);
  chapter.attached();
  chapter.layout(keep ?? (chapter.sandbox ? 0 : "end"));
  if (result.touched && !chapter.sandbox) announce(tx(result.diff?.summary));
  scrollTo(0, 0);
  $("h1", chapter.root).focus({ preventScroll: true });
}

async function untouched(name) {
  if (!bases.has(name)) bases.set(name, await compute({ scenario: name }, { keep: true }));
  return bases.get(name);
}

function showHome() {
  closeCard();
  chapter?.player.stop();
  chapter = null;
  page.replaceChildren(...home(app.catalog));
  document.title = say("home-title");
}

let followed = null;

// follow shows what the address bar names. A link that can't be read changes
// nothing else.
async function follow(first) {
  const hash = location.hash.slice(1);
  if (!hash) {
    notice("");
    followed = "";
    return showHome();
  }
  const { experiment, problem } = await app.engine.parse(hash);
  const failed = (why) => {
    if (followed === null) showHome();
    notice(`${say("bad-link", { why })}${first || followed === null ? "" : ` ${say("kept-link")}`}`);
  };
  if (problem) return failed(tx(problem));
  if (experiment.lang && experiment.lang !== lang()) setLang(experiment.lang);
  const result = await compute(experiment);
  if (!result || location.hash.slice(1) !== hash) return;
  if (result.problem) return failed(tx(result.problem));
  notice("");
  followed = hash;
  await show(result, experiment.at ? { keep: parseFloat(experiment.at) } : {});
}

function prefs() {
  $("#lang").textContent = lang() === "zh" ? "English" : "中文";
  $("#lang").lang = lang() === "zh" ? "en" : "zh-CN";
  $("#theme").textContent = theme() === "dark" ? "☀" : "☾";
  $("#theme").setAttribute("aria-label", say("theme"));
  $("#theme").title = say("theme");
  $("#open-help").setAttribute("aria-label", say("help-title"));
}

function contents() {
  $("#contents").replaceChildren(toc(app.catalog, chapter?.result.scenario.name ?? ""));
  $("#contents").showModal();
}

function wire() {
  $("#lang").onclick = () => {
    const to = lang() === "zh" ? "en" : "zh";
    const hash = location.hash.replace(/([?&]lang=)(en|zh)\b/, `$1${to}`);
    if (hash !== location.hash) history.replaceState(null, "", hash);
    setLang(to);
  };
  $("#theme").onclick = () => setTheme(theme() === "dark" ? "light" : "dark");
  $("#open-help").onclick = () => {
    fillHelp($("#help"));
    $("#help").showModal();
  };
  $("#open-contents").onclick = contents;
  $("#contents").addEventListener("click", (ev) => {
    if (ev.target.closest("a") || ev.target === ev.currentTarget) ev.currentTarget.close();
  });
  $("#help").addEventListener("click", (ev) => {
    if (ev.target === ev.currentTarget) ev.currentTarget.close();
  });
  addEventListener("popstate", () => follow(false));
  document.querySelector(".skip").addEventListener("click", (ev) => {
    ev.preventDefault(); // the address bar is the experiment's
    page.focus();
  });
  document.addEventListener("click", (ev) => {
    const a = ev.target.closest?.("a[href='#']");
    if (!a) return;
    ev.preventDefault();
    if (location.hash) history.pushState(null, "", location.pathname + location.search);
    follow(false);
    scrollTo(0, 0);
  });
  keyboard({ chapter: () => chapter, contents, help: () => $("#open-help").click() });
  let wait = 0;
  addEventListener("resize", () => {
    clearTimeout(wait);
    wait = setTimeout(() => {
      if (chapter && Math.abs(chapter.worldsEl.clientWidth - chapter.laidOut) > 8) {
        closeCard();
        chapter.layout();
      }
    }, 120);
  });
  onPrefs(() => {
    prefs();
    if (chapter) {
      chapter.redraw(page);
      document.title = `${tx(chapter.result.scenario.title)} — estab`;
    } else if (app.catalog) showHome();
  });
}

async function start() {
  sayAll();
  prefs();
  const bar = $("#loaded"),
    text = $("#loading-text");
  try {
    app.engine = await load(({ loaded, total }) => {
      if (total) bar.value = loaded / total;
      else bar.removeAttribute("value");
      text.textContent =
        total && loaded < total ? say("loading-part", { n: bytes(loaded), total: bytes(total) }) : say("starting");
    });
    app.catalog = await app.engine.catalog();
  } catch (err) {
    text.textContent = say("load-failed", { why: err.message ?? err });
    bar.remove();
    return;
  }
  addEventListener("unhandledrejection", (ev) => notice(say("engine-broke", { why: ev.reason?.message ?? ev.reason })));
  wire();
  await follow(true);
  document.documentElement.dataset.ready = "yes";
}

start();
