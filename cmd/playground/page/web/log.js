// What was recorded, and what went over the wires, the newest first.
import { byId, draw, el, fill } from "./dom.js";
import { hhmmss } from "./clock.js";
import { state, watch } from "./state.js";

const names = { slack: "Slack", pagerduty: "PagerDuty", nightlatch: "log", services: "services" };

const when = (at) => el("time", { datetime: at }, hhmmss(Date.parse(at)));

const wire = (e) =>
  el(
    "li", { class: e.bad ? "bad" : null, title: e.call },
    when(e.at),
    el("span", { class: `from ${e.from}` }, names[e.from] ?? e.from),
    el("span", { class: "what" }, e.what, e.times > 1 && el("small", {}, ` ×${e.times}`), " ", el("small", { class: "call" }, e.call)),
  );

const event = (r) =>
  el(
    "li", { class: r.bad ? "event bad" : "event", title: r.grant && `grant ${r.grant}` },
    when(r.at),
    el("span", { class: "from ledger" }, `#${r.seq}`),
    el("span", { class: "what" }, r.says, " ", el("small", { class: "call" }, r.actor && r.actor !== r.kind ? `${r.kind} · ${r.actor}` : r.kind)),
  );

const views = [
  { key: "ledger", title: "Ledger", says: "what was recorded, the newest first", row: event },
  { key: "wires", title: "On the wires", says: "what was sent, asked and logged, the newest first", row: wire },
];
let view = views[0];
let list;

function show(chosen) {
  view = chosen;
  log();
}

function log() {
  if (!list) list = el("ol", { tabindex: "0" });
  draw(byId("log"), view.key, () => [
    el("h2", { role: "group", "aria-label": "What is shown" },
      views.map((v) => el("button", { type: "button", "data-view": v.key, "aria-pressed": String(v === view), click: () => show(v) }, v.title))),
    list,
  ]);
  list.setAttribute("aria-label", view.says);
  fill(list, state[view.key].toReversed().map(view.row));
}

watch(["scene", "wires", "ledger"], log);
