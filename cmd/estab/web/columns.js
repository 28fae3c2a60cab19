// Which ladders stand beside each other: the worlds of a scenario, or a world
// and its untouched run.
import { tx, say } from "./prefs.js";

const least = 330,
  gutter = 24; // px: what a ladder needs, what lies between two

/** columns chooses what a chapter shows in a width: {cols, fits}; fits: how many ladders there is room for. */
export function columns(chapter, wide) {
  const { result, base, view } = chapter,
    { worlds } = result,
    all = chapter.withLadder();
  const fits = Math.max(1, Math.floor((wide + gutter) / (least + gutter)));
  const comparing = chapter.comparable() && view.compare;
  if (!all.includes(view.world) && view.world !== "all")
    view.world = all.length > 1 && all.length <= 3 ? "all" : all[0];
  const one = view.world === "all" ? all[0] : view.world;
  let cols = [];
  if (comparing) {
    cols = [column(chapter, base.worlds[one], one, true), column(chapter, worlds[one], one, false)];
    if (fits < 2) cols = [cols[view.untouched ? 0 : 1]];
  } else if (view.world === "all" && fits >= all.length) {
    cols = all.map((i) => column(chapter, worlds[i], i, false));
  } else if (one !== undefined) {
    cols = [column(chapter, worlds[one], one, false)];
  }
  // In passing a world is called by what stands before the colon in its name.
  const brief = cols.map((c) => c.title.split(/[:：]/)[0]);
  cols.forEach((c, i) => {
    c.brief = brief.filter((x) => x === brief[i]).length > 1 ? c.title : brief[i];
  });
  return { cols, fits };
}

function column({ result, view }, world, index, isBase) {
  const key = (isBase ? "u" : "w") + index;
  return {
    key,
    index,
    isBase,
    world,
    mute: result.touched && !isBase, // no story
    withWindow: result.scenario.section === 7,
    unfolded: (view.unfolded[key] ??= new Set()),
    title: isBase ? say("untouched") : result.touched && view.compare ? say("yours") : tx(world.name),
  };
}

/** marks says which packets of a column the other run has not: {added}. */
export function marks({ result, sandbox }, c) {
  const d = result.diff?.worlds[c.index];
  if (!d || sandbox) return { added: new Set() };
  if (!c.isBase) return { added: new Set([...d.added, ...d.changed.map((x) => x.packet)]) };
  const gone = new Set(d.removed.map((p) => p.id));
  return { added: new Set(c.world.packets.flatMap((p, i) => (gone.has(p.id) ? [i] : []))) };
}
