// The ladder: two hosts, what went between them, and their states.
import { s } from "./dom.js";
import { tx, say } from "./prefs.js";
import { clock } from "./numbers.js";
import { fonts } from "./ladder-layout.js";
import { width } from "./wrap.js";
import { refusal } from "./label.js";

let serial = 0;

/**
 * draw makes the SVG of a column that was placed. marks: {added, struck} say
 * which packets differ from the untouched run; on: {segment(i, el), fold(i)}.
 */
export function draw(col, height, marks, on) {
  const id = `clip${++serial}`,
    g = col.geo;
  const body = s(
    "g",
    null,
    heads(col),
    bands(col, height),
    lines(col, height),
    ...col.moments.map((m) => moment(col, m, marks)),
    tales(col),
    times(col),
  );
  const future = body.cloneNode(true);
  future.setAttribute("class", "future");
  future.setAttribute("aria-hidden", "true");
  body.setAttribute("clip-path", `url(#${id})`);
  body.setAttribute("aria-hidden", "true");
  const clip = s("rect", { x: -40, y: -40, width: g.w + 80, height: height + 80 });
  const pointer = s(
    "g",
    { class: "now-line", "aria-hidden": "true" },
    s("line", { class: "pointer", x1: g.a - g.band - 4, x2: g.b + g.band + 4, y1: 0, y2: 0 }),
    s("path", { class: "pointer-head", d: `M${g.a - g.band - 4} 0l-7 -5v10z` }),
  );
  const root = s(
    "svg",
    {
      class: g.thin ? "ladder thin" : "ladder",
      viewBox: `0 0 ${g.w} ${height}`,
      width: g.w,
      height,
      role: "group",
      "aria-label": tx(col.world.summary),
    },
    s("defs", null, s("clipPath", { id }, clip), ...patterns()),
    future,
    body,
    touch(col, on),
    pointer,
  );
  return {
    root,
    /** reveal shows what happened down to a height; all: everything. */
    reveal(y, all) {
      root.classList.toggle("whole", all);
      clip.setAttribute("height", (all ? height + 80 : y + 40).toFixed(1));
      pointer.setAttribute("transform", `translate(0 ${y.toFixed(1)})`);
      pointer.style.display = all ? "none" : "";
    },
  };
}

function patterns() {
  return [
    s(
      "pattern",
      { id: "hatch", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
      s("line", { class: "hatch-line", x1: 0, y1: 0, x2: 0, y2: 6 }),
    ),
    s(
      "pattern",
      { id: "dots", width: 6, height: 6, patternUnits: "userSpaceOnUse" },
      s("circle", { class: "dot-mark", cx: 3, cy: 3, r: 1.2 }),
    ),
  ];
}

function heads({ geo: g, world }) {
  const roles = [say("client"), say("server")];
  return world.hosts.map((host, i) => {
    const x = i ? g.b : g.a;
    return s(
      "g",
      null,
      s("text", { class: "head", x, y: 18, "text-anchor": "middle" }, host.name),
      s("text", { class: "addr", x, y: 33, "text-anchor": "middle" }, g.thin ? roles[i] : `${roles[i]} · ${host.addr}`),
    );
  });
}

function lines({ geo: g, breaks }, height) {
  const out = [];
  for (const x of [g.a, g.b]) {
    out.push(s("line", { class: "line", x1: x, y1: 42, x2: x, y2: height - 10 }));
    for (const b of breaks)
      for (let y = b.from + 4; y < b.to - 4; y += 5)
        out.push(s("line", { class: "gap", x1: x, x2: x, y1: y, y2: y + 2.5, "stroke-width": 4 }));
  }
  if (g.time > 10)
    for (const b of breaks)
      out.push(
        s(
          "text",
          { class: "addr", x: g.time - (g.thin ? 4 : 8), y: (b.from + b.to) / 2 + 4, "text-anchor": "end" },
          g.thin ? b.text : `⋮ ${b.text}`,
        ),
      );
  return out;
}

function bands({ geo: g, world, moments }, height) {
  return [0, 1].map((host) => {
    let state = world.hosts[host].state,
      from = 42;
    const out = [],
      x = host ? g.bandB : g.bandA;
    const close = (y) => {
      if (state && y > from) out.push(band(g, x, from, y, state));
      from = y;
    };
    for (const m of moments)
      m.states
        .filter((st) => st.host === host)
        .forEach((st, i) => {
          close(m.y + i * 15 - 2);
          state = st.to;
        });
    close(height - 10);
    return out;
  });
}

const classes = { CLOSED: "idle", LISTEN: "idle", "SYN-SENT": "open", "SYN-RECEIVED": "open", ESTABLISHED: "est" };
const short = {
  CLOSED: "CLOSED",
  "SYN-RECEIVED": "SYN-RCVD",
  ESTABLISHED: "ESTAB",
  "FIN-WAIT-1": "FIN-W-1",
  "FIN-WAIT-2": "FIN-W-2",
  "CLOSE-WAIT": "CLOSE-W",
  "TIME-WAIT": "TIME-W",
};

function band(g, x, from, to, state) {
  const box = s("rect", { class: `band ${classes[state] ?? "closing"}`, x, y: from, width: g.band, height: to - from });
  let name;
  if (!g.thin)
    for (let y = from + 12; y === from + 12 || y < to - 200; y += 320)
      (name ??= []).push(s("text", { class: "state halo", x: x + g.band / 2, y, "text-anchor": "middle" }, state));
  else if (to - from > 34) {
    const full = to - from > 92;
    name = s(
      "text",
      { class: "state halo", transform: `translate(${x + g.band / 2 - 4} ${from + 5}) rotate(90)` },
      full ? state : to - from > 60 ? (short[state] ?? state) : "",
    );
  }
  return s("g", null, box, name ?? null, s("title", null, state));
}

function moment(col, m, marks) {
  if (m.kind === "leave") return leave(col, m, marks);
  if (m.kind === "arrive") return asides(col, m, 14);
  if (m.kind === "fold") return fold(col, m);
  return asides(col, m, 4);
}

// plate is a line of running text on a piece of paper, so that it can be read
// where segments cross it.
function plate(cls, x, y, anchor, text) {
  const w = width(text, fonts[cls]) + 8,
    left = anchor === "start" ? x - 4 : anchor === "end" ? x - w + 4 : x - w / 2;
  return s(
    "g",
    null,
    s("rect", { class: "plate", x: left.toFixed(1), y: y - 13, width: w.toFixed(1), height: 17 }),
    s("text", { class: cls, x, y, "text-anchor": anchor }, text),
  );
}

function asides({ geo: g }, m, down) {
  const sides = [
    [g.a + 10, "start"],
    [g.b - 10, "end"],
  ];
  const [x, anchor] = sides[m.host] ?? [(g.a + g.b) / 2, "middle"]; // of the path: in the middle
  return m.aside.map((line, i) => plate("aside", x, m.y + down + i * 14, anchor, line));
}

function fold({ geo: g }, m) {
  const mid = (g.a + g.b) / 2,
    h = m.aside.length * 16;
  const zig = (x) => {
    let d = `M${x} ${m.y - 10}`;
    for (let y = m.y - 10; y < m.y + h; y += 8) d += `l-4 2l8 4l-4 2`;
    return s("path", { class: "seg ack", d });
  };
  return s(
    "g",
    null,
    zig(g.a),
    zig(g.b),
    m.aside.map((line, i) => plate("fold", mid, m.y + 4 + i * 16, "middle", line)),
  );
}

// ends are the points of a segment's line, one per copy that arrives, and
// whether it ends in a cross.
function ends(col, i) {
  const { geo: g } = col,
    p = col.world.packets[i],
    at = col.at.get(i);
  if (!at) return [];
  const x1 = p.from ? g.b : g.a,
    x2 = p.from ? g.a : g.b;
  if (!p.arrives.length)
    return [{ x1, y1: at.leave, x2: x1 + (x2 - x1) * 0.6, y2: at.leave + 26, cross: true, lost: true }];
  return at.arrive.map((y, copy) => ({
    x1,
    y1: at.leave,
    x2,
    y2: y,
    cross: Boolean(refusal(p, copy)),
    copy,
  }));
}

function leave(col, m, marks) {
  const p = col.world.packets[m.packet],
    g = col.geo;
  const cls = ["seg", p.kind, p.again && "again"].filter(Boolean).join(" ");
  const parts = ends(col, m.packet).map((e) => [
    s("line", { class: e.copy ? `${cls} copy` : cls, x1: e.x1, y1: e.y1, x2: e.x2, y2: e.y2 }),
    e.cross ? cross(e) : tip(e),
  ]);
  const e = ends(col, m.packet)[0];
  if (e) parts.push(text(m, p, g, e));
  if (e && marks.added.has(m.packet))
    parts.push(s("path", { class: "diamond", d: `M${e.x1} ${e.y1 - 6}l5 6l-5 6l-5 -6z` }));
  const state = [marks.added.has(m.packet) && "new", p.struck && "struck"].filter(Boolean).join(" ");
  return s("g", state ? { class: state } : null, ...parts);
}

function tip(e) {
  const a = Math.atan2(e.y2 - e.y1, e.x2 - e.x1),
    deg = (a * 180) / Math.PI;
  return s("path", {
    class: "tip",
    d: "M0 0l-9 -4v8z",
    transform: `translate(${e.x2} ${e.y2}) rotate(${deg.toFixed(2)})`,
  });
}

function cross(e) {
  const back = e.lost ? 0 : e.x2 > e.x1 ? -8 : 8;
  return s("path", { class: "cross", d: `M${e.x2 + back - 6} ${e.y2 - 6}l12 12m0 -12l-12 12` });
}

function text(m, p, g, e) {
  const dx = Math.abs(e.x2 - e.x1),
    dy = e.y2 - e.y1,
    steep = dy > dx * 0.56;
  const left = e.x1 < e.x2;
  const deg = steep ? 0 : ((left ? 1 : -1) * Math.atan2(dy, dx) * 180) / Math.PI;
  const anchor = left ? "start" : "end",
    off = left ? 11 : -11;
  const turn = `translate(${e.x1} ${e.y1}) rotate(${deg.toFixed(2)})`;
  const out = [s("text", { class: "label", x: off, y: -5, "text-anchor": anchor, transform: turn }, m.text)];
  if (m.opts) out.push(s("text", { class: "opts", x: off, y: 14, "text-anchor": anchor, transform: turn }, m.opts));
  if (e.lost)
    out.push(
      s("text", { class: "label wrong", x: e.x2 + (left ? 13 : -13), y: e.y2 + 4, "text-anchor": anchor }, say("lost")),
    );
  if (steep && !e.lost)
    out.push(
      s(
        "text",
        { class: "label", x: e.x2 + (left ? -12 : 12), y: e.y2 - 6, "text-anchor": left ? "end" : "start" },
        m.text.split("  ").slice(0, 2).join("  "),
      ),
    );
  return out;
}

function tales({ geo: g, moments }) {
  const mid = (g.a + g.b) / 2;
  return moments
    .filter((m) => m.lines.length)
    .map((m) => {
      const first = m.y + (m.late ? m.talesFrom : 16 - m.above);
      return m.lines.map((line, i) => plate("tale", mid, first + i * 18, "middle", line));
    });
}

function times({ geo: g, times }) {
  if (g.time < 10) return [];
  let lastY = -99,
    lastT = -1;
  return times.map((m) => {
    if (m.y - lastY < 12 || m.t === lastT) return null;
    [lastY, lastT] = [m.y, m.t];
    return s("text", { class: "time", x: g.time - 8, y: m.y + 4, "text-anchor": "end" }, m.t.toFixed(3));
  });
}

// touch is what the reader can click on, or reach with the keyboard.
function touch(col, on) {
  const items = [];
  for (const m of col.moments) {
    if (m.kind === "leave") {
      const d = ends(col, m.packet)
        .map((e) => `M${e.x1} ${e.y1}L${e.x2} ${e.y2}`)
        .join("");
      if (!d) continue;
      items.push(
        item(
          {
            class: "touch",
            d,
            "data-packet": m.packet,
            "data-id": col.world.packets[m.packet].id,
            "aria-label": `${clock(m.t)}: ${tx(col.world.packets[m.packet].say)}`,
          },
          (el) => on.segment(m.packet, el),
        ),
      );
    }
    if (m.kind === "fold") {
      const { geo: g } = col,
        y = m.y - 12;
      items.push(
        item(
          {
            class: "touch fold-touch",
            d: `M${g.a + 8} ${y}H${g.b - 8}V${y + 12 + m.aside.length * 16}H${g.a + 8}z`,
            "data-fold": m.fold,
            "aria-label": `${tx(col.world.folds[m.fold].text)}. ${say("unfold")}`,
          },
          () => on.fold(m.fold),
        ),
      );
    }
  }
  if (items[0]) items[0].setAttribute("tabindex", "0");
  const group = s("g", { class: "touches" }, ...items);
  group.addEventListener("keydown", (ev) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[ev.key];
    const i = items.indexOf(ev.target);
    if (!step || i < 0) return;
    ev.preventDefault();
    const to = items[Math.min(items.length - 1, Math.max(0, i + step))];
    ev.target.setAttribute("tabindex", "-1");
    to.setAttribute("tabindex", "0");
    to.focus();
  });
  return group;
}

function item(props, act) {
  const el = s("path", { role: "button", tabindex: "-1", ...props });
  el.addEventListener("click", () => act(el));
  el.addEventListener("keydown", (ev) => {
    if (ev.key !== "Enter" && ev.key !== " ") return;
    ev.preventDefault();
    ev.stopPropagation();
    act(el);
  });
  return el;
}
