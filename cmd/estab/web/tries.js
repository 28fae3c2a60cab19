// Questions that a scenario invites: links to the changed experiment, which
// answers them.
import { h } from "./dom.js";
import { say, lang } from "./prefs.js";

const questions = {
  handshake: [
    ["lose=B:1", "the SYN,ACK is lost?", "SYN,ACK 丢失了？"],
    ["two-way=on", "two segments were enough for B?", "B 觉得两次就够了？"],
    ["delay=2s", "the path is two seconds long?", "单程时延长达两秒？"],
  ],
  "third-ack-lost": [["synack-retries=1", "B asks only once more?", "B 只重问一次？"]],
  "nobody-there": [["syn-retries=1", "A tries only twice?", "A 只试两次？"]],
  "stale-syn": [
    ["lose=A:RST", "A's objection, the RST, is lost too?", "A 的异议（RST）也丢失了？"],
    ["time-wait=off", "A doesn't wait at all after closing?", "A 释放连接后根本不等待？"],
  ],
  "stale-syn-ghost": [["synack-retries=1", "the three-way B is less patient?", "三次握手的 B 不那么有耐心？"]],
  "flood-small": [
    ["backlog=16", "there is room for sixteen?", "队列能容纳 16 个半连接？"],
    ["cookies=on", "B sends cookies?", "B 用 SYN cookie 应对？"],
  ],
  "four-way-close": [
    ["lose=A:6", "the last ACK is lost?", "最后一个 ACK 丢失了？"],
    ["lose=B:5", "B's FIN is lost?", "B 的 FIN 丢失了？"],
    ["time-wait=off", "A doesn't wait for 2 MSL?", "A 不等待 2MSL？"],
    ["msl=1s", "a segment lives one second at most?", "MSL 只有一秒？"],
  ],
  "last-ack-lost": [["msl=100ms", "MSL is shorter than B's patience?", "MSL 短到 B 还没来得及重传？"]],
  "sliding-window": [["window=1460", "B has room for one segment only?", "B 只放得下一个报文段？"]],
  "rto-back-off": [["retries=3", "A gives up after three repeats?", "A 重传三次就放弃？"]],
  "fast-retransmit": [["lose=A:9", "a second segment is lost?", "又丢了一个报文段？"]],
  "congestion-window": [["congestion=cubic", "A uses CUBIC instead of Reno?", "A 不用 Reno，改用 CUBIC？"]],
};

/** links are those of all questions, without the #. */
export const links = () => Object.entries(questions).flatMap(([name, list]) => list.map(([link]) => `${name}?${link}`));

/** tries are the questions of a scenario, or nothing. */
export function tries(name) {
  const list = questions[name];
  if (!list) return null;
  return h(
    "p",
    { class: "tries" },
    h("b", null, say("what-if")),
    " ",
    list.map(([link, en, zh], i) => [
      i ? " · " : null,
      h("a", { href: `#${name}?${link}` }, lang() === "zh" ? zh : en),
    ]),
  );
}
