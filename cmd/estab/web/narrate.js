// What the strip at the foot says about a moment.
import { say } from "./prefs.js";
import { talesOf } from "./score.js";
import { whatHappens } from "./twin.js";

/** narrate is {text: the story's sentence, what: what just happened} at a position of a chapter's player. */
export function narrate(chapter, pos, atEnd) {
  return { text: story(chapter, pos), what: happening(chapter, pos, atEnd) };
}

// story is the latest sentence; while it plays, that of the step to come.
function story({ cols, score: { list }, player }, pos) {
  let told = [];
  for (let k = Math.min(list.length, player.playing ? pos + 1 : pos); k > 0 && !told.length; k--)
    told = talesOf(list[k - 1]);
  const partly = cols.length > 1 && told.length < cols.length;
  return told
    .filter((x, i) => told.findIndex((y) => y.text === x.text) === i)
    .map((x) => (partly ? `${cols[x.col].brief}${say("colon")}` : "") + x.text)
    .join(" ");
}

function happening({ cols, score: { list }, focus, sandbox }, pos, atEnd) {
  if (sandbox && !list.length) return say("bench-begin");
  if (atEnd && !sandbox) return say(cols.length ? "at-end" : "at-end-plots");
  if (pos === 0) return say("at-begin");
  const { parts } = list[pos - 1];
  const i = parts[focus] ? focus : parts.findIndex(Boolean);
  return i >= 0 ? whatHappens(cols[i].world, parts[i]) : "";
}
