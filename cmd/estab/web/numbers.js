// Times, sizes and counts for people.
import { lang } from "./prefs.js";

/** clock writes a virtual time as the ladder does: 0.010 s, 300.010 s. */
export const clock = (t) => `${t.toFixed(3)} s`;

/** span writes a length of time roughly: 20 ms, 4 min, 1 h. */
export function span(t) {
  const zh = lang() === "zh";
  const f = (v, en, cn) => `${+v.toPrecision(3)} ${zh ? cn : en}`;
  if (t < 1) return f(t * 1000, "ms", "毫秒");
  if (t < 120) return f(t, "s", "秒");
  if (t < 7200) return f(t / 60, "min", "分钟");
  return f(t / 3600, "h", "小时");
}

/** count writes 12345 as 12,345; with thin spaces in Chinese. */
export const count = (n) => Number(n).toLocaleString(lang() === "zh" ? "zh-CN" : "en-US");

/** bytes writes a size. */
export function bytes(n) {
  if (n < 10_000) return `${count(n)} B`;
  return n < 1 << 20 ? `${count(Math.round(n / 1024))} KiB` : `${(n / (1 << 20)).toFixed(1)} MiB`;
}

/** seconds writes what a clock of the engine holds: 0.025 s as 25 ms. */
export const seconds = (t) => (t ? (t < 1 ? `${+(t * 1000).toPrecision(3)} ms` : `${+t.toPrecision(4)} s`) : "–");
