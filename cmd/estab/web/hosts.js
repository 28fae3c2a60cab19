// Both hosts at the present moment: state, TCB, buffers, what they have
// allocated.
import { h } from "./dom.js";
import { tx, say } from "./prefs.js";
import { bytes, count, seconds, clock } from "./numbers.js";

/** stateAt is a host's state after the first n moments of a world. */
export function stateAt(world, moments, n, host) {
  let state = world.hosts[host].state;
  for (let i = 0; i < n; i++) for (const st of moments[i].states) if (st.host === host) state = st.to;
  return state;
}

/** holdingAt is what a host holds at a time, in a state. */
export function holdingAt(world, host, t, state) {
  let best = null;
  for (const x of world.holdings[host]) {
    if (x.at > t) break;
    if (x.at < t || x.state === state) best = x;
  }
  return best;
}

/** hostsPanel shows A and B; the result's show(world, t, states, numbering) draws. */
export function hostsPanel(catalog) {
  const root = h("div", { class: "hosts" });
  const before = [{}, {}];
  const meaning = new Map(catalog.states.map((x) => [x.name, x.text]));
  return {
    root,
    show(world, t, states, numbering) {
      root.replaceChildren(
        ...[0, 1].map((host) => {
          const hold = holdingAt(world, host, t, states[host]);
          const rows = hold?.tcb ? tcbRows(hold.tcb, host, numbering, t) : [];
          const panel = h(
            "div",
            { "data-host": host ? "B" : "A" },
            h("span", { class: "of" }, world.hosts[host].name),
            h("span", { class: "is" }, states[host]),
            h("span", { class: "means" }, tx(meaning.get(states[host]))),
            rows.length
              ? h(
                  "dl",
                  null,
                  rows.map(([name, value, help]) => [
                    h("dt", { title: help }, name),
                    h(
                      "dd",
                      { class: before[host][name] !== undefined && before[host][name] !== value ? "fresh" : null },
                      value,
                    ),
                  ]),
                )
              : h("p", { class: "nothing" }, kind(hold)),
            hold?.tcb ? meters(hold.tcb) : null,
            hold && hold.bytes
              ? h(
                  "p",
                  { class: "memory-bars" },
                  say("allocated", { estab: bytes(hold.bytes), classic: bytes(hold.classic) }),
                )
              : null,
          );
          before[host] = Object.fromEntries(rows.map(([n, v]) => [n, v]));
          return panel;
        }),
      );
    },
  };
}

function kind(hold) {
  if (!hold || hold.kind === "nothing" || hold.kind === "listen")
    return say(hold?.kind === "listen" ? "holds-listen" : "holds-nothing");
  return say(hold.kind === "half-open" ? "holds-record" : "holds-timewait");
}

function tcbRows(c, host, numbering, t) {
  const num = (base, letter, rel) => {
    if (numbering === "absolute") return String((base + rel) >>> 0);
    if (numbering === "letters") return rel ? `${letter}+${rel}` : letter;
    return String(rel);
  };
  const [mine, its] = host ? ["y", "x"] : ["x", "y"];
  const rows = [
    ["SND.UNA", num(c.iss, mine, c.sndUna), say("help-una")],
    ["SND.NXT", num(c.iss, mine, c.sndNxt), say("help-nxt")],
    ["SND.WND", count(c.sndWnd), say("help-swnd")],
    ["RCV.NXT", c.irs || c.rcvNxt ? num(c.irs, its, c.rcvNxt) : "–", say("help-rnxt")],
    ["RCV.WND", count(c.rcvWnd), say("help-rwnd")],
    ["cwnd", count(c.cwnd), say("help-cwnd")],
  ];
  if (c.ssthresh) rows.push(["ssthresh", count(c.ssthresh), say("help-ssthresh")]);
  rows.push(["SRTT", seconds(c.srtt), say("help-srtt")], ["RTO", seconds(c.rto), say("help-rto")]);
  for (const x of c.timers) rows.push([tx(x.name), clock(x.at), say("help-timer")]);
  return rows;
}

function meters(c) {
  const meter = (title, max, ...parts) =>
    h(
      "div",
      null,
      title,
      h(
        "div",
        { class: "meter", role: "img", "aria-label": title },
        parts.map(([cls, n]) =>
          n > 0 ? h("i", { class: cls, style: `width:${Math.max(2, Math.min(100, (100 * n) / (max || 1)))}%` }) : null,
        ),
      ),
    );
  return [
    meter(say("send-buffer", { n: bytes(c.sndBuf) }), c.sndBufMax, ["sent", c.sndBuf - c.unsent], ["waits", c.unsent]),
    meter(
      say("receive-buffer", { n: bytes(c.rcvBuf) }),
      c.rcvBufMax,
      ["got", c.rcvBuf - c.outOfOrder],
      ["holes", c.outOfOrder],
    ),
  ];
}
