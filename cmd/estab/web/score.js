// What the player plays: the steps of the worlds that are shown, and what is
// known after each.
import { moments, steps, ticks } from "./moments.js";
import { tx, lang } from "./prefs.js";

/** score prepares columns [{world, unfolded}] for playing; plain: worlds without a ladder. */
export function score(columns, plain) {
  for (const c of columns) {
    // The story is written for the untouched run, and would lie about another.
    c.moments = moments(c.mute ? { ...c.world, story: [] } : c.world, c.unfolded, c.withWindow);
    c.after = statesAfter(c);
  }
  const list = columns.length ? steps(columns.map((c) => c.moments)) : ticks(Math.max(...plain.map((w) => w.end)));
  // done[k][i] is how many moments of column i lie within the first k steps.
  const done = [columns.map(() => 0)];
  for (const st of list) done.push(done.at(-1).map((n, i) => n + (st.parts[i] ? 1 : 0)));
  return { list, done, count: list.length, time: (k) => (k ? list[k - 1].t : 0) };
}

// statesAfter is both states, and the transitions made, after n moments.
function statesAfter({ world, moments }) {
  let states = world.hosts.map((x) => x.state),
    made = [[], []];
  const out = [{ states, made }];
  for (const m of moments) {
    if (m.states.length) {
      states = [...states];
      made = [...made];
      for (const st of m.states) {
        states[st.host] = st.to;
        made[st.host] = [...made[st.host], st];
      }
    }
    out.push({ states, made });
  }
  return out;
}

/** talesOf are the sentences that belong to a step, each with its column. */
export const talesOf = (step) =>
  step ? step.parts.flatMap((m, i) => (m ? m.tales.map((tale) => ({ col: i, text: tx(tale.text) })) : [])) : [];

/** reading is how many ms it takes to read what a step says. */
export function reading(step) {
  const chars = talesOf(step).reduce((n, x) => Math.max(n, x.text.length), 0);
  return chars ? Math.max(1200, chars * (lang() === "zh" ? 130 : 42)) : 0;
}
