// Text in a drawing: how wide it is and how it breaks into lines.

const ctx = document.createElement("canvas").getContext("2d");
const known = new Map();

/** width measures a text in px, in a CSS font. */
export function width(text, font) {
  const key = font + "\n" + text;
  let w = known.get(key);
  if (w === undefined) {
    if (known.size > 5000) known.clear();
    ctx.font = font;
    known.set(key, (w = ctx.measureText(text).width));
  }
  return w;
}

// Words, and single characters of Chinese with the punctuation that follows.
const parts =
  /[\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef][，。、；：！？）」』”’]*|[^\s\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef]+[，。、；：！？）]*|\s+/g;

/** wrap breaks a text into lines of at most so many px. */
export function wrap(text, max, font) {
  const lines = [];
  let line = "";
  for (const part of text.match(parts) ?? []) {
    if (line && width(line + part.trimEnd(), font) > max) {
      lines.push(line.trimEnd());
      line = "";
    }
    line += line ? part : part.trimStart();
  }
  if (line.trim()) lines.push(line.trimEnd());
  return lines;
}
