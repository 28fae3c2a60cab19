// The order in which a world is read. A moment is something at one host at one
// time: a segment leaves, a segment arrives, a state changes by itself, a timer
// goes off, a sentence of the story is due. The ladder draws moments, the
// transport steps through them.

/**
 * moments lists those of a world. unfolded: the folds that the reader has
 * opened; withWindow: what the congestion window does is told, too.
 */
export function moments(world, unfolded = new Set(), withWindow = true) {
  const hidden = (p) => p.fold >= 0 && !unfolded.has(p.fold);
  const inOrder = collect(world, hidden, withWindow).sort((a, b) => a.t - b.t || a.order - b.order);
  const out = abreast(join(merge(inOrder)));
  attachStates(world, out);
  for (const m of out) m.states = m.states.filter(isNews);
  attachStory(world, out);
  return out;
}

const moment = (t, order, kind, host, more) => ({
  t,
  order,
  kind,
  host,
  packet: -1,
  copy: 0,
  states: [],
  tales: [],
  notes: [],
  ...more,
});

function collect(world, hidden, withWindow) {
  const out = [],
    closed = new Set();
  world.packets.forEach((p, i) => {
    if (hidden(p)) {
      closed.add(p.fold);
      return;
    }
    out.push(moment(p.sent, p.order, "leave", p.from, { packet: i }));
    p.arrives.forEach((t, copy) => out.push(moment(t, p.orders[copy], "arrive", 1 - p.from, { packet: i, copy })));
  });
  const folds = [...closed].map((i) => world.folds[i]);
  for (const i of closed)
    out.push(moment(world.folds[i].from, world.packets[world.folds[i].first].order, "fold", -1, { fold: i }));
  for (const n of world.notes)
    if ((withWindow || n.kind !== "cwnd") && (n.host < 0 || !folds.some((f) => n.at >= f.from && n.at <= f.to)))
      out.push(moment(n.at, n.order, "note", n.host, { notes: [n] }));
  for (const host of [0, 1])
    for (const st of world.states[host])
      if (st.packet < 0 || hidden(world.packets[st.packet]))
        out.push(moment(st.at, st.order, "state", host, { states: [{ host, ...st }] }));
  return out;
}

// abreast lets both hosts take turns in what happens at one and the same time:
// between them there is no order then, and their SYNs cross as they should.
// Where a segment takes no time at all, there is, and it stays.
function abreast(list) {
  const out = [];
  for (let i = 0; i < list.length;) {
    let j = i;
    while (j < list.length && list[j].t === list[i].t) j++;
    const group = list.slice(i, j),
      left = new Set(group.filter((m) => m.kind === "leave").map((m) => m.packet));
    i = j;
    if (group.some((m) => m.host < 0 || (m.kind === "arrive" && left.has(m.packet)))) {
      out.push(...group);
      continue;
    }
    const [a, b] = [0, 1].map((host) => group.filter((m) => m.host === host));
    for (let k = 0; k < Math.max(a.length, b.length); k++) out.push(...[a[k], b[k]].filter(Boolean));
  }
  return out;
}

// isNews: a host's listener and its connection may enter one state at once.
const isNews = (st, i, all) => all.slice(0, i).findLast((x) => x.host === st.host)?.to !== st.to;

// merge puts the notes and states that follow each other at one host and at
// one time into one moment.
function merge(list) {
  const out = [];
  for (const m of list) {
    const last = out.at(-1),
      plain = (x) => x.kind === "note" || x.kind === "state";
    if (last && last.t === m.t && last.host === m.host && plain(last) && plain(m)) {
      last.notes.push(...m.notes);
      last.states.push(...m.states);
      if (m.kind === "note") last.kind = "note";
      continue;
    }
    out.push(m);
  }
  return out;
}

// join puts a state that a host enters of itself to the segment which it sends
// at that moment: SYN-SENT to its SYN.
function join(out) {
  return out.filter((m, i) => {
    if (m.kind !== "state") return true;
    const near = [out[i + 1], out[i - 1]].find((x) => x?.kind === "leave" && x.t === m.t && x.host === m.host);
    if (near) near.states.unshift(...m.states);
    return !near;
  });
}

// attachStates puts each change at the moment of the segment that caused it.
function attachStates(world, out) {
  for (const host of [0, 1])
    for (const st of world.states[host]) {
      if (st.packet < 0) continue;
      const sends = world.packets[st.packet].from === host;
      let best = null;
      for (const m of out)
        if (
          m.packet === st.packet &&
          (sends ? m.kind === "leave" : m.kind === "arrive") &&
          (!best || Math.abs(m.t - st.at) < Math.abs(best.t - st.at))
        )
          best = m;
      if (best) best.states.push({ host, ...st });
    }
}

// attachStory puts each sentence before the moment that it speaks of.
function attachStory(world, out) {
  for (const tale of world.story) {
    let m;
    if (tale.packet >= 0) {
      const p = world.packets[tale.packet];
      const kind = tale.host < 0 || tale.host === p.from ? "leave" : "arrive";
      m =
        out.find((x) => x.packet === tale.packet && x.kind === kind) ??
        out.find((x) => x.kind === "fold" && x.fold === p.fold);
    }
    m ??= out.find((x) => x.t === tale.at && (tale.host < 0 || x.states.some((s) => s.host === tale.host)));
    m ??= out.find((x) => x.t === tale.at && (tale.host < 0 || x.host === tale.host));
    if (!m) {
      m = moment(tale.at, 0, "tale", -1, {});
      const i = out.findIndex((x) => x.t > tale.at);
      out.splice(i < 0 ? out.length : i, 0, m);
    }
    m.tales.push(tale);
  }
}

/**
 * steps merges the moments of worlds that are shown beside each other. What
 * happens at the same time in several of them is one step, so that worlds that
 * are alike run alike. A step is {t, parts: [moment or undefined, by world]}.
 */
export function steps(lists) {
  const at = lists.map(() => 0),
    out = [];
  for (;;) {
    const t = Math.min(...lists.map((l, i) => l[at[i]]?.t ?? Infinity));
    if (t === Infinity) return out;
    const parts = lists.map((l, i) => (l[at[i]]?.t === t ? l[at[i]++] : undefined));
    out.push({ t, parts });
  }
}

/** ticks are the steps of worlds that have figures only: n equal times. */
export function ticks(end, n = 60) {
  return Array.from({ length: n + 1 }, (_, i) => ({ t: (end * i) / n, parts: [] }));
}
