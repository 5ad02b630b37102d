// The shifts in PagerDuty, and what can be done to them.
import { byId, colour, draw as redraw, el, fill, firstName } from "./dom.js";
import { ago, hhmm, night } from "./clock.js";
import { begin, order, state, watch } from "./state.js";

const hour = 3600 * 1000;
const behind = 1.5 * hour;
const span = 8 * hour;

/** lastEnd is the moment of the newest end of a shift of the first line that has passed. */
export function lastEnd() {
  const now = Date.now();
  return Math.max(0, ...(state.shifts[0]?.bars ?? []).map((b) => Date.parse(b.end)).filter((end) => end <= now));
}

const owner = (seat) => state.scene.cast.findIndex((p) => p.pagerduty && p.pagerduty === seat);
const covers = (bar, at) => Date.parse(bar.start) <= at && at < Date.parse(bar.end);

function bar(b, from) {
  const start = Math.max(0, (Date.parse(b.start) - from) / span);
  const end = Math.min(1, (Date.parse(b.end) - from) / span);
  if (end <= 0 || start >= 1 || end - start < 0.004) return null;
  const index = owner(b.user);
  const name = index < 0 ? b.user : firstName(state.scene.cast[index]);
  const node = el("span", { class: `bar ${colour(index)}`, title: `${name}, ${hhmm(Date.parse(b.start))} to ${hhmm(Date.parse(b.end))}` },
    end - start > 0.15 ? el("span", {}, name) : null);
  node.style.left = `${start * 100}%`;
  node.style.width = `${(end - start) * 100}%`;
  if (end - start < 0.2) node.style.paddingLeft = "3px"; // the name has little room
  const now = behind / span;
  if (start <= now && now < end - 0.12) node.style.paddingLeft = `calc(${(now - start) * 100}% + 8px)`; // beside the line of the hour
  return node;
}

function ticks(from) {
  const out = [];
  const first = Math.ceil(night(from).getTime() / (2 * hour)) * 2 * hour - state.scene.ahead;
  for (let at = first; at < from + span; at += 2 * hour) {
    const share = (at - from) / span;
    if (share > 0.94 || share < 0.02 || Math.abs(share - behind / span) < 0.08) continue; // cut, or under the line of the hour
    const node = el("span", {}, hhmm(at));
    node.style.left = `${share * 100}%`;
    out.push(node);
  }
  return el("div", { class: "ticks" }, out);
}

function sentence(now) {
  const running = state.shifts[0]?.bars.find((b) => covers(b, now));
  if (!running) return ["Nobody is on call on the first line. ", el("b", {}, "What its shift opened is over.")];
  const who = state.scene.cast[owner(running.user)];
  const end = Date.parse(running.end);
  return [el("b", {}, who ? firstName(who) : running.user), ` is on call until ${hhmm(end)} (${ago(end, now)}).`];
}

const button = (name, label, kind, title) =>
  el("button", { type: "button", class: `pill ${kind}`, "data-change": name, title, disabled: kind === "off", click: () => (name === "again" ? begin() : order("shift", { change: name })) }, label);

let chart, said, controls;

/** change draws what can be done. When nobody is on call, it is to begin again. */
function change(now) {
  const running = state.shifts[0]?.bars.find((b) => covers(b, now));
  const names = state.scene.cast.filter((p) => p.pagerduty);
  const other = running?.user === names.at(-1).pagerduty ? names[0] : names.at(-1);
  redraw(controls, [running?.user], () => [
    button("end", "End shift in 5 s", running ? "strong" : "off", "The shift of whoever is on call on the first line ends in five seconds"),
    button("swap", `Swap ${firstName(names[0])} and ${firstName(names.at(-1))}`, "", "They swap their shifts"),
    button("override", `${firstName(other)} takes over 1 h`, "", "An override, at once, for an hour"),
    button("again", "Begin again", running ? "" : "strong", "The whole night as it was at first; what was recorded stays"),
  ]);
}

function build() {
  if (chart) return;
  chart = el("div", { class: "chart" });
  said = el("p", { class: "said" });
  controls = el("div", { class: "controls" });
  fill(
    byId("shifts"),
    el("h2", {}, "PagerDuty", el("small", {}, "who is on call tonight")), chart, said,
    controls,
  );
}

function draw() {
  build();
  const now = Date.now();
  const from = now - behind;
  const line = el("span", { class: "now" });
  line.style.left = `${(behind / span) * 100}%`;
  fill(
    chart,
    state.shifts.map((row) => el("div", { class: "row" }, el("small", {}, row.name), el("div", { class: "track" }, row.bars.map((b) => bar(b, from))))),
    el("div", { class: "row over" }, el("small", {}), el("div", { class: "track" }, line)),
    el("div", { class: "row" }, el("small", {}), ticks(from)),
  );
  fill(said, sentence(now));
  change(now);
}

watch(["scene", "shifts"], draw);
setInterval(() => state.scene && draw(), 1000);
