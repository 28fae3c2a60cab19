// Making elements. Text goes in as text nodes only, never as markup.

function make(el, props, children) {
  for (const [k, v] of Object.entries(props ?? {})) {
    if (v === undefined || v === null || v === false) continue;
    if (k.startsWith("on")) el.addEventListener(k.slice(2), v);
    else if (k in el && typeof v !== "string" && !(el instanceof SVGElement)) el[k] = v;
    else el.setAttribute(k, v === true ? "" : String(v));
  }
  el.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return el;
}

/** h makes an HTML element: h("p", {class: "lead", onclick: f}, "text", child). */
export const h = (tag, props, ...children) => make(document.createElement(tag), props, children);

/** s makes an SVG element. */
export const s = (tag, props, ...children) =>
  make(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);

export const $ = (selector, root = document) => root.querySelector(selector);

/** announce says something to a screen reader. */
export function announce(text) {
  $("#live").textContent = text;
}

/** download hands a file to the reader. */
export function download(name, type, data) {
  const url = URL.createObjectURL(new Blob([data], { type }));
  h("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
