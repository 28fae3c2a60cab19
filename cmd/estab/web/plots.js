// Plots: values over time, with a cursor at the present moment.
import { h, s } from "./dom.js";
import { tx } from "./prefs.js";
import { count } from "./numbers.js";

const W = 440,
  H = 264,
  L = 60,
  R = 12,
  T = 22,
  B = 66;

/** plotFigure draws a plot; cursor(t) moves the line of the present. */
export function plotFigure(plot, heading) {
  const all = plot.series.filter((x) => x.points.length);
  const xs = all.flatMap((x) => x.points.map((p) => p[0])),
    ys = all.flatMap((x) => x.points.flatMap((p) => p.slice(1)));
  const [x0, x1] = [min(xs, 0), max(xs, 1)],
    [y0, y1] = [Math.min(0, min(ys, 0)), max(ys, 1)];
  const X = (v) => L + ((v - x0) / (x1 - x0 || 1)) * (W - L - R),
    Y = (v) => H - B - ((v - y0) / (y1 - y0 || 1)) * (H - B - T);
  const line = s("line", { class: "cursor", y1: T, y2: H - B });
  const svg = s(
    "svg",
    {
      class: "plot",
      viewBox: `0 0 ${W} ${H}`,
      role: "img",
      "aria-label": `${tx(plot.title)}: ${all.map((x) => tx(x.name)).join(", ")}`,
    },
    ticks(x0, x1).map((v) => [
      s("line", { class: "grid", x1: X(v), x2: X(v), y1: T, y2: H - B }),
      s("text", { x: X(v), y: H - B + 16, "text-anchor": "middle" }, tick(v)),
    ]),
    ticks(y0, y1).map((v) => [
      s("line", { class: "grid", x1: L, x2: W - R, y1: Y(v), y2: Y(v) }),
      s("text", { x: L - 6, y: Y(v) + 4, "text-anchor": "end" }, tick(v)),
    ]),
    s("line", { class: "axis", x1: L, x2: W - R, y1: H - B, y2: H - B }),
    s("line", { class: "axis", x1: L, x2: L, y1: T, y2: H - B }),
    s("text", { x: W - R, y: H - B + 30, "text-anchor": "end" }, tx(plot.x)),
    s("text", { x: 0, y: 12 }, tx(plot.y)),
    all.map((x) => s("path", { class: kind(x), d: path(x, X, Y) })),
    legend(all),
    line,
  );
  return {
    root: h("figure", null, h("figcaption", null, heading ?? tx(plot.title)), svg),
    cursor(t) {
      const v = Math.min(x1, Math.max(x0, t));
      line.setAttribute("x1", X(v));
      line.setAttribute("x2", X(v));
    },
  };
}

// Not Math.min(...xs): there may be more points than arguments.
const min = (list, none) =>
  list.reduce((a, b) => Math.min(a, b), Infinity) === Infinity ? none : list.reduce((a, b) => Math.min(a, b), Infinity);
const max = (list, none) =>
  list.reduce((a, b) => Math.max(a, b), -Infinity) === -Infinity
    ? none
    : list.reduce((a, b) => Math.max(a, b), -Infinity);

const kind = (series) => `${series.class} ${series.kind}${series.dash ? " dash" : ""}`;

function path(series, X, Y) {
  const f = (v) => v.toFixed(1);
  return series.points
    .map(([x, y, low], i) => {
      switch (series.kind) {
        case "bars":
          if (series.class === "rst") return `M${f(X(x) - 2)} ${f(Y(low ?? 0))}h4m-2 0V${f(Y(y))}m-2 0h4`; // another shape, not only another colour
          return `M${f(X(x))} ${f(Y(low ?? 0))}V${f(Y(y))}`;
        case "crosses":
          return `M${f(X(x) - 2.5)} ${f(Y(y) - 2.5)}l5 5m0 -5l-5 5`;
        case "steps":
          return i ? `H${f(X(x))}V${f(Y(y))}` : `M${f(X(x))} ${f(Y(y))}`;
        default:
          return `${i ? "L" : "M"}${f(X(x))} ${f(Y(y))}`;
      }
    })
    .join("");
}

function legend(all) {
  let x = L,
    row = 0;
  return all.map((series) => {
    const name = tx(series.name),
      w = 34 + [...name].reduce((n, c) => n + (c > "\u2e80" ? 11.5 : 6.2), 0);
    if (x + w > W && x > L) [x, row] = [L, row + 1];
    const y = H - 18 + row * 14,
      at = x;
    x += w;
    const mark =
      series.kind === "crosses"
        ? `M${at + 6} ${y - 7}l6 6m0 -6l-6 6`
        : series.kind === "bars"
          ? `M${at + 9} ${y - 9}v9`
          : `M${at} ${y - 4}h18`;
    return [s("path", { class: kind(series), d: mark }), s("text", { x: at + 23, y }, name)];
  });
}

function ticks(lo, hi) {
  if (!(hi > lo)) return [lo];
  let step = 10 ** Math.floor(Math.log10((hi - lo) / 5));
  step *= [1, 2, 5, 10].find((m) => (hi - lo) / (step * m) <= 6);
  const out = [];
  for (let v = Math.ceil(lo / step) * step; v <= hi + step / 1e6; v += step) out.push(v);
  return out;
}

const tick = (v) => (Math.abs(v) >= 1000 ? count(Math.round(v)) : String(+v.toPrecision(4)));
