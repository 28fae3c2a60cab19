// The reader's language and theme: remembered, and told to whoever draws.
import { phrases } from "./words.js";

const remember = (k, v) => {
  try {
    localStorage.setItem(k, v);
  } catch {
    /* private mode: not remembered */
  }
};
const listeners = new Set();

/** lang is "en" or "zh". */
export const lang = () => (document.documentElement.lang.startsWith("zh") ? "zh" : "en");

export function setLang(l) {
  document.documentElement.lang = l === "zh" ? "zh-CN" : "en";
  remember("estab.lang", l);
  sayAll();
  listeners.forEach((f) => f());
}

/** onPrefs calls f when the language or the theme was changed. */
export const onPrefs = (f) => listeners.add(f);

/** tx is a Text {en, zh} of the engine in the reader's language. */
export const tx = (t) => (t ? (t[lang()] ?? t.en ?? "") : "");

/** say is a phrase of the page, with what fills its {places}. */
export function say(key, fill = {}) {
  const p = phrases[key];
  if (!p) throw new Error(`no phrase "${key}"`);
  return p[lang() === "zh" ? 1 : 0].replace(/\{(\w+)\}/g, (_, k) => fill[k] ?? "");
}

/** sayAll puts the phrases into the page's fixed parts. */
export function sayAll(root = document) {
  for (const el of root.querySelectorAll("[data-say]")) el.textContent = say(el.dataset.say);
}

const dark = matchMedia("(prefers-color-scheme: dark)");

/** theme is what is shown now: "light" or "dark". */
export const theme = () => document.documentElement.dataset.theme || (dark.matches ? "dark" : "light");

export function setTheme(t) {
  document.documentElement.dataset.theme = t;
  remember("estab.theme", t);
  listeners.forEach((f) => f());
}

const still = matchMedia("(prefers-reduced-motion: reduce)");
/** calm says that the reader wants no motion. */
export const calm = () => still.matches;
