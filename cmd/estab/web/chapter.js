// A scenario on the page: text, figure, what happens beside it, and what the
// reader may change.
import { h, $, announce } from "./dom.js";
import { tx, say, calm } from "./prefs.js";
import { clock } from "./numbers.js";
import { Player } from "./player.js";
import { transport } from "./transport.js";
import { score, reading } from "./score.js";
import { geometry, place } from "./ladder-layout.js";
import { draw } from "./ladder.js";
import { hostsPanel } from "./hosts.js";
import { figure5 } from "./figure5.js";
import { claimList } from "./claims.js";
import { plotFigure } from "./plots.js";
import { figuresTable } from "./tables.js";
import { twin } from "./twin.js";
import { columns, marks } from "./columns.js";
import { toolbar } from "./toolbar.js";
import { narrate } from "./narrate.js";
import { openCard, closeCard } from "./card.js";
import { changesBox } from "./changes.js";
import { controls } from "./controls.js";
import { exportRow } from "./exports.js";
import { find } from "./contents.js";
import { tries } from "./tries.js";
import { memoryTable } from "./memory.js";

export class Chapter {
  /** app: {engine, catalog, change}; view: what the reader chose to see, kept from run to run. */
  constructor(app, result, base, view) {
    Object.assign(this, { app, result, base, view });
    view.unfolded ??= {};
    if (result.touched && this.withLadder().length === 1) view.compare ??= true;
    view.numbering ??= result.scenario.letters ? "letters" : "relative";
    this.player = new Player((pos, part) => this.moved(pos, part));
    this.ladders = [];
    this.render();
  }

  get sandbox() {
    return this.result.scenario.name === "sandbox";
  }

  /** withLadder are the indices of worlds whose segments are told one by one. */
  withLadder() {
    return this.result.worlds.map((w, i) => (w.packets.length || this.sandbox ? i : -1)).filter((i) => i >= 0);
  }

  render() {
    const { scenario } = this.result;
    this.worldsEl = h("div", { class: "worlds" });
    this.tools = h("div", { class: "tools" });
    this.notes = h("aside", { class: "notes", "aria-label": say("beside") });
    this.plotsEl = h("div", { class: "plots block" });
    this.twinEl = h("div");
    this.transport = transport(this.player);
    this.controls = h("div");
    const { before, after } = find(this.app.catalog, scenario.name);
    const turn = (x, key) => (x ? h("a", { href: `#${x.name}` }, h("span", null, say(key)), tx(x.title)) : null);
    this.root = h(
      "article",
      { "data-name": scenario.name },
      h(
        "header",
        { class: "chapter-head" },
        scenario.section ? h("p", { class: "kicker" }, `${scenario.section} · ${tx(scenario.sectionTitle)}`) : null,
        h("h1", { tabindex: "-1" }, tx(scenario.title)),
        h("p", null, tx(scenario.intro)),
        tries(scenario.name),
      ),
      (this.bench = h("div")),
      (this.changes = h("div")),
      h(
        "section",
        { class: "figure", "aria-label": say("figure") },
        this.tools,
        (this.stage = h(
          "div",
          { class: "stage" },
          h("div", null, this.worldsEl, this.withLadder().length ? null : this.plotsEl),
          this.notes,
        )),
        this.transport.root,
      ),
      tx(scenario.lesson) ? h("p", { class: "lesson" }, tx(scenario.lesson)) : null,
      this.withLadder().length ? this.plotsEl : null,
      (this.tables = h("div")),
      this.controls,
      exportRow(
        this.app.engine,
        () => ({ ...this.result.experiment, at: this.where() === "end" ? undefined : `${this.where()}s` }),
        (this.command = h("code")),
      ),
      h("details", { class: "more block", id: "twin" }, h("summary", null, say("twin-title")), this.twinEl),
      before || after
        ? h("nav", { class: "turn", "aria-label": say("turn") }, turn(before, "before"), turn(after, "after"))
        : null,
    );
    this.renderChanges();
    this.renderControls();
    this.renderPlots();
  }

  renderChanges() {
    this.command.textContent = this.result.command;
    this.changes.replaceChildren(
      ...(this.result.touched && !this.sandbox
        ? [
            changesBox(this.result, this.app.catalog, {
              undo: (x) => this.undo(x),
              reset: () => this.app.change({ scenario: this.result.scenario.name }),
            }),
          ]
        : []),
    );
  }

  renderControls() {
    const { x } = find(this.app.catalog, this.result.scenario.name);
    this.controls.replaceChildren(controls(this.app.catalog, this.result, x?.params ?? [], (c) => this.apply(c)));
  }

  renderPlots() {
    this.tables.replaceChildren(
      ...this.result.tables.map(figuresTable),
      ...(this.result.scenario.memory ? this.result.worlds.map(memoryTable) : []),
    );
    const several = this.result.worlds.length > 1;
    this.plots = this.result.worlds.flatMap((w) =>
      w.plots.map((p) =>
        plotFigure(
          p,
          several ? [tx(w.name), tx(p.title) !== tx(w.name) ? tx(p.title) : ""].filter(Boolean).join(" — ") : undefined,
        ),
      ),
    );
    this.plotsEl.replaceChildren(...this.plots.map((p) => p.root));
    this.plotsEl.hidden = !this.plots.length;
    this.plotsEl.classList.toggle("many", this.plots.length > 4);
  }

  comparable() {
    return this.result.touched && this.base && !this.sandbox && this.withLadder().length > 0;
  }

  /** layout places and draws the ladders; keep: the time to stand at, or "end". */
  layout(keep = this.where()) {
    const wide = this.worldsEl.clientWidth;
    if (!wide) return;
    this.laidOut = wide;
    ({ cols: this.cols, fits: this.fits } = columns(this, wide));
    this.focus = Math.min(this.view.focus ?? this.cols.length - 1, Math.max(0, this.cols.length - 1));
    this.score = score(this.cols, this.result.worlds);
    const n = this.cols.length,
      w = n ? (wide - 24 * (n - 1)) / n : 0;
    this.cols.forEach((c, i) => {
      c.geo = geometry(n === 1 ? Math.min(w, 820) : w, i === 0);
    });
    this.placed = place(this.cols, this.score.list, this.view.numbering);
    this.ladders = this.placed.columns.map((c) =>
      draw(c, this.placed.height, marks(this, c), {
        segment: (i, el) => this.touched(c, i, el),
        fold: (i) => this.unfold(c, i),
      }),
    );
    this.worldsEl.style.gridTemplateColumns = `repeat(${Math.max(1, n)}, minmax(0, 1fr))`;
    this.worldsEl.replaceChildren(
      ...this.ladders.map((l, i) =>
        h(
          "div",
          { style: n === 1 ? "max-width:820px" : null },
          this.cols[i].title && n > 1 ? h("h2", { class: "world-name" }, this.cols[i].title) : null,
          l.root,
        ),
      ),
    );
    this.tools.replaceChildren(...toolbar(this));
    this.renderNotes();
    this.twinEl.replaceChildren(...this.cols.map((c) => twin(c, c.isBase ? null : (i, el) => this.touched(c, i, el))));
    $("#twin", this.root).hidden = !n;
    this.shown = -1;
    this.player.load({ count: this.score.count, dwell: (k) => this.dwell(k) }, this.posOf(keep));
  }

  renderNotes() {
    this.hosts = hostsPanel(this.app.catalog);
    this.five = figure5(this.app.catalog);
    this.claims = claimList(this.result.claims);
    const pick =
      this.cols.length > 1
        ? h(
            "div",
            { class: "tabs", style: "margin-bottom:.6rem" },
            this.cols.map((c, i) =>
              h(
                "button",
                {
                  type: "button",
                  "aria-pressed": String(i === this.focus),
                  onclick: (ev) => {
                    this.view.focus = this.focus = i;
                    [...ev.target.parentNode.children].forEach((b, k) =>
                      b.setAttribute("aria-pressed", String(k === i)),
                    );
                    this.shown = -1;
                    this.moved(this.player.pos, this.player.part);
                  },
                },
                c.brief,
              ),
            ),
          )
        : null;
    const part = (title, ...body) => h("section", null, h("h2", null, title), body);
    this.notes.replaceChildren(
      ...[
        this.result.claims.length ? part(say("claims-title"), this.claims.root) : null,
        this.cols.length ? part(say("hosts-title"), pick, this.hosts.root) : null,
        this.cols.length ? part(say("five-title"), this.five.root) : null,
      ].filter(Boolean),
    );
  }

  where() {
    if (!this.score) return "end";
    return this.player.pos >= this.score.count ? "end" : this.score.time(this.player.pos);
  }

  posOf(keep) {
    if (keep === "end") return this.score.count;
    if (typeof keep === "object") return this.score.list.findLastIndex((st) => st.t < keep.before) + 1;
    return keep === 0 ? 0 : this.score.list.findLastIndex((st) => st.t <= keep) + 1;
  }

  dwell(k) {
    if (!this.cols.length) return 110;
    const { reveal } = this.placed;
    return Math.max(90, (reveal[k + 1] - reveal[k]) * 11) + reading(this.score.list[k]);
  }

  /** moved draws the moment at which the player stands. */
  moved(pos, part) {
    if (!this.score) return;
    const { count, list } = this.score,
      atEnd = pos >= count;
    if (this.cols.length) {
      const y = this.height(pos, part);
      for (const l of this.ladders) l.reveal(y, atEnd);
      if (this.player.playing) this.follow(y);
    }
    const t = this.score.time(pos),
      next = list[pos]?.t ?? t;
    for (const p of this.plots) p.cursor(this.cols.length ? t : t + (next - t) * part);
    const key = pos * 2 + (this.player.playing ? 1 : 0);
    if (key === this.shown) return;
    this.shown = key;
    this.tell(pos, t, atEnd);
  }

  height(pos, part) {
    const { reveal } = this.placed;
    if (pos >= this.score.count || !part) return reveal[pos];
    // A sentence about what leaves is read before it leaves, one about what
    // arrives when it has arrived.
    const step = this.score.list[pos],
      said = step.parts.filter((m) => m?.lines.length),
      hold = reading(step) / this.dwell(pos),
      to = reveal[pos + 1];
    if (said.length && said.every((m) => m.late))
      return reveal[pos] + (to - reveal[pos]) * Math.min(1, part / (1 - hold));
    const told = Math.max(reveal[pos], ...said.filter((m) => !m.late).map((m) => m.y - m.above + m.talesHeight));
    return part < hold ? told : told + (to - told) * ((part - hold) / (1 - hold));
  }

  tell(pos, t, atEnd) {
    const c = this.cols[this.focus],
      { list, done } = this.score;
    const { text, what } = narrate(this, pos, atEnd);
    const known = c ? c.after[done[pos][this.focus]] : null;
    const hold = this.claims.show(t, atEnd);
    if (c) {
      this.hosts.show(c.world, atEnd ? Infinity : t, known.states, this.view.numbering);
      this.five.show(known.states, known.made);
    }
    if (!this.player.playing && this.told !== undefined && this.told !== pos) announce(`${clock(t)} ${what}`);
    this.told = pos;
    this.happened?.(known?.states ?? [], t);
    this.transport.show({
      pos,
      count: list.length,
      t,
      text,
      what,
      byEvents: Boolean(c),
      hold,
      claims: this.result.claims.length,
      states: c ? known.states.map((st, i) => ["AB"[i], st]) : [],
    });
  }

  // follow keeps the present moment within the window.
  follow(y) {
    const svg = this.ladders[0].root,
      r = svg.getBoundingClientRect(),
      at = r.top + (y / this.placed.height) * r.height;
    const low = innerHeight - this.transport.root.offsetHeight - 90;
    if (at > low) scrollBy({ top: at - low, behavior: "instant" });
    else if (at < 130) scrollBy({ top: at - 200, behavior: "instant" });
  }

  // touched opens the card of a segment.
  touched(c, i, el) {
    const p = c.world.packets[i];
    this.player.stop();
    openCard(p, el, this.result.experiment.faults, c.isBase ? null : (faults) => this.strike(faults, p, c));
  }

  async strike(faults, p, c) {
    const keep = this.where();
    const problem = await this.app.change(
      { ...this.result.experiment, faults },
      { keep: keep === "end" ? "end" : { before: p.sent }, show: { id: p.id, world: c.index } },
    );
    if (problem) this.app.notice(tx(problem));
  }

  unfold(c, i) {
    const set = this.view.unfolded[c.key];
    set.has(i) ? set.delete(i) : set.add(i);
    this.layout();
  }

  undo({ fault, set, script }) {
    const x = structuredClone(this.result.experiment);
    if (fault) x.faults = x.faults.filter((line) => line !== fault);
    if (set) delete x.set[set];
    if (script !== undefined) x.scripts[script] = "";
    this.app.change(x);
  }

  /** apply changes parameters or a script; the problem, if there is one, is shown by whoever asks. */
  async apply({ set, script, redraw }) {
    const x = structuredClone(this.result.experiment);
    for (const [k, v] of Object.entries(set ?? {})) {
      x.set ??= {};
      if (v === "") delete x.set[k];
      else x.set[k] = v;
    }
    if (script) {
      x.scripts ??= [];
      while (x.scripts.length <= script[0]) x.scripts.push("");
      x.scripts[script[0]] = script[1];
    }
    return this.app.change(x, { typing: Boolean(script) && !redraw });
  }

  /** update takes a new result of the same scenario without losing the reader's place. */
  update(result, base, { keep, typing, show } = {}) {
    const first = !this.result.touched && result.touched;
    keep ??= this.where();
    closeCard();
    Object.assign(this, { result, base });
    if (first && this.view.compare === undefined && this.withLadder().length === 1) this.view.compare = true;
    if (!result.touched) this.view.untouched = false;
    this.renderChanges();
    this.renderPlots();
    if (!typing) this.renderControls();
    this.layout(keep);
    this.said(result, show, keep);
  }

  // said tells what came of a change, where the reader looks.
  said(result, show, keep) {
    const text = result.touched ? tx(result.diff?.summary) : say("as-before");
    if (!this.sandbox)
      this.transport.extra.replaceChildren(
        ...[h("p", { class: "small" }, h("b", null, result.touched ? say("changed") : ""), " ", text)],
      );
    announce(text);
    if (!show) return;
    const c = this.cols.findIndex((x) => !x.isBase && x.index === show.world),
      i = this.cols[c]?.world.packets.findIndex((p) => p.id === show.id);
    const el = i >= 0 ? this.ladders[c]?.root.querySelector(`[data-packet="${i}"]`) : null;
    el?.focus({ preventScroll: true });
    el?.scrollIntoView({ block: "center", behavior: calm() ? "instant" : "smooth" });
    if (keep !== "end" && !calm()) this.player.play();
  }

  /** redraw says everything again: the language was changed. */
  redraw(main) {
    const keep = this.where();
    closeCard();
    this.player.stop();
    this.render();
    main.replaceChildren(this.root);
    this.attached?.();
    this.layout(keep);
  }
}
