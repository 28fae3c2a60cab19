// Where everything in a ladder stands. Time runs downwards, in the order of
// events and not to scale: a gap in which time passes is dotted and says how
// long it is. Ladders beside each other share their heights, so that what
// happens at the same time stands at the same height.
import { wrap, width } from "./wrap.js";
import { tx } from "./prefs.js";
import { label, refusal } from "./label.js";
import { span } from "./numbers.js";

const sans = getComputedStyle(document.documentElement).getPropertyValue("--sans");
const serif = getComputedStyle(document.documentElement).getPropertyValue("--serif");
export const fonts = {
  label: `12px ${sans}`,
  aside: `11px ${sans}`,
  fold: `12px ${sans}`,
  tale: `italic 14px ${serif}`,
  state: `600 10.5px ${sans}`,
};

/** The height of the heads of both hosts. */
export const top = 58;
const slope = 40; // how much lower an unhindered segment arrives, at least
const pass = 0.5; // seconds: a longer gap is dotted

/** geometry of a ladder so many px wide. */
export function geometry(w, withTime) {
  const thin = w < 420;
  const band = thin ? 20 : Math.min(104, Math.max(92, w * 0.15));
  const time = withTime ? (thin ? 46 : 66) : 2;
  return { w, thin, band, time, a: time + band + 5, b: w - band - 7, bandA: time, bandB: w - band - 2 };
}

/** place computes the heights of steps: {y, reveal, height, columns}. */
export function place(columns, steps, numbering) {
  const cols = columns.map((c) => ({
    ...c,
    prev: null,
    last: [null, null],
    y: top,
    states: [top - 16, top - 16],
    at: new Map(),
    windows: windows(c.world),
  }));
  const ys = [],
    reveal = [top - 6],
    breaks = [];
  let y = top,
    last = 0;
  steps.forEach((step, k) => {
    let want = y + (k > 0 && step.t > last ? 12 : 0);
    step.parts.forEach((m, i) => {
      if (m) want = Math.max(want, next(cols[i], m, numbering));
    });
    if (step.t - last >= pass) {
      const from = Math.max(y, ...cols.map((c) => c.y + (c.prev?.below ?? 0))),
        above = Math.max(...step.parts.map((m) => m?.above ?? 0));
      want = Math.max(want, from + 26 + above);
      breaks.push({ from, to: want - above, text: span(step.t - last) });
    }
    y = want;
    last = step.t;
    ys.push(y);
    let down = 4;
    step.parts.forEach((m, i) => {
      if (!m) return;
      put(cols[i], m, y);
      down = Math.max(down, m.below);
    });
    reveal.push(y + down);
  });
  const height = (reveal.at(-1) ?? top) + 26;
  for (const c of cols) Object.assign(c, { breaks, times: steps.map((st, k) => ({ t: st.t, y: ys[k] })) });
  return { ys, reveal, height, columns: cols };
}

// windows are the packets whose window is news: closed, opened or much changed.
function windows(world) {
  const out = new Set(),
    last = [undefined, undefined];
  world.packets.forEach((p, i) => {
    if (p.kind === "syn" || p.kind === "synack" || p.kind === "rst") return;
    const was = last[p.from];
    if (p.win === 0 || (was !== undefined && Math.abs(p.win - was) > 0.2 * Math.max(p.win, was))) out.add(i);
    last[p.from] = p.win;
  });
  return out;
}

// next is the height at which a moment may stand below what came before it.
function next(col, m, numbering) {
  measure(col, m, numbering);
  const narrow = col.geo.b - col.geo.a < 320;
  let y = col.y + (col.prev ? col.prev.below : 8) + gap(col.prev, m, narrow) + m.above;
  if (atOnce(col, m)) {
    const own = col.last[m.host];
    y = Math.max(col.prev.y, own ? own.y + own.below + gap(own, m, narrow) + m.above : top);
  }
  for (const st of m.states) y = Math.max(y, col.states[st.host] + 16);
  return y;
}

// atOnce: both hosts do something at the same time, and neither needs the
// whole width to tell it: they stand at the same height.
function atOnce(col, m) {
  const p = col.prev;
  return (
    p &&
    p.t === m.t &&
    p.host >= 0 &&
    m.host === 1 - p.host &&
    !m.lines.length &&
    !(p.late && p.lines.length) &&
    !(m.aside.length && p.aside.length)
  );
}

function put(col, m, y) {
  m.y = y;
  col.prev = m;
  if (m.host >= 0) col.last[m.host] = m;
  col.y = y;
  for (const st of m.states) col.states[st.host] = y + 16 * (m.states.filter((x) => x.host === st.host).length - 1);
  if (m.packet >= 0) {
    const at = col.at.get(m.packet) ?? { leave: 0, arrive: [] };
    if (m.kind === "leave") at.leave = y;
    else at.arrive[m.copy] = y;
    col.at.set(m.packet, at);
  }
}

// gap is the room between two moments of one column, besides what their texts
// need. narrow: the lines are steep there, and a label reaches further down.
function gap(prev, m, narrow) {
  if (!prev) return 4;
  if (m.kind === "fold") return narrow ? 40 : 16;
  const same = prev.host === m.host,
    dt = m.t - prev.t;
  if (dt < 0.002 && same && prev.kind === m.kind && m.packet >= 0) return 8;
  if (same && prev.kind === "leave" && m.kind === "note") return narrow ? 40 : 20;
  if (dt === 0) return same && prev.kind === "arrive" && m.kind === "leave" ? -3 : 2;
  if (dt >= pass) return 30;
  return m.kind === "arrive" && prev.kind === "leave" && prev.packet === m.packet ? slope - 6 : 16;
}

// measure finds what a moment's texts need above and below its height.
function measure(col, m, numbering) {
  const g = col.geo,
    inner = g.b - g.a;
  m.lines = [];
  m.above = { leave: 14, arrive: 6, note: 12, state: 8, fold: 16, tale: 4 }[m.kind];
  m.below = 4;
  for (const tale of m.tales) m.lines.push(...wrap(tx(tale.text), inner - 24, fonts.tale));
  m.talesHeight = m.lines.length ? m.lines.length * 18 + 10 : 0;
  m.late = m.kind === "arrive"; // what an arrival means is read after it
  if (!m.late) m.above += m.talesHeight;
  m.aside = [];
  for (const n of m.notes) m.aside.push(...wrap(tx(n.text), inner * 0.62, fonts.aside));
  if (m.kind === "note") m.below += Math.max(0, m.aside.length - 1) * 14 + 2;
  const p = m.packet >= 0 ? col.world.packets[m.packet] : null;
  if (m.kind === "leave") {
    m.text = label(p, numbering, (t) => width(t, fonts.label) < inner - 22, {
      window: col.windows.has(m.packet),
      port: col.world.conns.length > 1 ? col.world.conns[p.conn]?.port : 0,
    });
    m.opts =
      p.options.length && inner > 300 && (p.kind === "syn" || p.kind === "synack")
        ? `win ${p.win}, ${p.options.join(", ")}`
        : "";
    if (p.text && p.len <= 16 && !m.text.includes("“")) m.opts = `“${p.text.trim()}”`;
    if (m.opts && width(m.opts, fonts.aside) > inner - 30) m.opts = "";
    if (m.opts) m.below = 16;
    if (!p.arrives.length) m.below = 30;
  }
  if (m.kind === "arrive" && refusal(p, m.copy)) {
    m.aside = wrap(tx(refusal(p, m.copy)), inner * 0.62, fonts.aside);
    m.below += m.aside.length * 14;
  }
  if (m.kind === "fold") {
    m.aside = wrap(tx(col.world.folds[m.fold].text), inner - 40, fonts.label);
    m.below = m.aside.length * 16 + 4;
  }
  if (m.states.length) m.below = Math.max(m.below, 13);
  m.talesFrom = m.below + 14;
  if (m.late) m.below += m.talesHeight;
  m.below += 15 * Math.max(0, ...[0, 1].map((hst) => m.states.filter((st) => st.host === hst).length - 1));
}
