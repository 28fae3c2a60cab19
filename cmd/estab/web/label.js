// What a ladder says about a segment.
import { say } from "./prefs.js";
import { count } from "./numbers.js";
import { phrases } from "./words.js";

/** numbers of a packet in a numbering: "letters", "relative" or "absolute". */
export function numbers(p, numbering) {
  if (numbering === "absolute") return [String(p.absSeq), String(p.absAck)];
  if (numbering === "letters" && p.seqName) return [p.seqName, p.ackName];
  return [String(p.seq), String(p.ack)];
}

/** label is its text, cut to what fits: the most important comes first. */
export function label(p, numbering, fits, { window, port }) {
  const [seq, ack] = numbers(p, numbering);
  const words = [`seq=${seq}`];
  if (p.hasAck) words.push(`ack=${ack}`);
  if (p.len) words.push(`len=${p.len}`);
  if (port) words.push(`:${port}`);
  if (p.again) words.push(say("again"));
  if (p.text && p.text.length <= 16) words.push(`“${p.text.replace(/[\r\n]+$/, "")}”`);
  if (window) words.splice(p.len ? 3 : 2, 0, `win=${p.win}`);
  let line = p.flags;
  for (const w of words) if (fits(`${line}  ${w}`)) line += `  ${w}`;
  return line;
}

/** rows describe a packet's header in full: [name, value]. */
export function rows(p, clock) {
  const out = [
    [say("card-flags"), p.flags],
    ["SEQ", `${p.seqName || p.seq}  (${p.absSeq})`],
  ];
  if (p.hasAck) out.push(["ACK", `${p.ackName || p.ack}  (${p.absAck})`]);
  if (p.len) out.push([say("card-data"), `${count(p.len)} B${p.text ? `  “${p.text}”` : ""}`]);
  if (p.kind !== "rst") out.push([say("card-window"), count(p.win)]);
  if (p.options.length) out.push([say("card-options"), p.options.join(", ")]);
  out.push([say("card-sent"), clock(p.sent)]);
  if (p.arrives.length) out.push([say("card-arrives"), p.arrives.map(clock).join(", ")]);
  else out.push([say("card-arrives"), say("never")]);
  return out;
}

/** refusal is why a packet's n-th copy was thrown away on arrival, or nothing. */
export const refusal = (p, copy) =>
  (copy ? p.twin : p.dropped) ?? (p.fate === "damaged" ? { en: phrases.damaged[0], zh: phrases.damaged[1] } : null);
