// The shifts in PagerDuty, and what can be done to them.
import { byId, colour, el, fill, firstName } from "./dom.js";
import { ago, hhmm, night } from "./clock.js";
import { order, state, watch } from "./state.js";

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
    end - start > 0.2 ? el("span", {}, name) : null);
  node.style.left = `${start * 100}%`;
  node.style.width = `${(end - start) * 100}%`;
  const now = behind / span;
  if (start <= now && now < end - 0.12) node.style.paddingLeft = `calc(${(now - start) * 100}% + 8px)`; // beside the line of the hour
  return node;
}

function ticks(from) {
  const out = [];
  const first = Math.ceil(night(from).getTime() / (2 * hour)) * 2 * hour - state.scene.ahead;
  for (let at = first; at < from + span; at += 2 * hour) {
    const share = (at - from) / span;
    if (share > 0.94 || share < 0.02) continue;
    const node = el("span", {}, hhmm(at));
    node.style.left = `${share * 100}%`;
    out.push(node);
  }
  return el("div", { class: "ticks" }, out);
}

function sentence(now) {
  const running = state.shifts[0]?.bars.find((b) => covers(b, now));
  if (!running) return ["Nobody is on call on the first line. ", el("b", {}, "Every grant of that shift is over.")];
  const who = state.scene.cast[owner(running.user)];
  const end = Date.parse(running.end);
  return [el("b", {}, who ? firstName(who) : running.user), ` is on call until ${hhmm(end)} (${ago(end, now)}).`];
}

const button = (name, label, kind, title) =>
  el("button", { type: "button", class: `pill ${kind}`, "data-change": name, title, click: () => order("shift", { change: name }) }, label);

let chart, said;

function build() {
  if (chart) return;
  chart = el("div", { class: "chart" });
  said = el("p", { class: "said" });
  fill(
    byId("shifts"),
    el("h2", {}, "PagerDuty", el("small", {}, "who is on call tonight")), chart, said,
    el("div", { class: "controls" },
      button("end", "End in 5 s", "strong", "The shift of whoever is on call on the first line ends in five seconds"),
      button("swap", "Swap", "", "Mara and Priya swap their shifts"),
      button("override", "Override", "", "Somebody else takes the first line over, for an hour"),
      button("again", "Begin again", "", "The shifts and the incident as they were at first")),
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
}

watch(["scene", "shifts"], draw);
setInterval(() => state.scene && draw(), 1000);
