// What went over the wires, the newest first.
import { byId, el, fill } from "./dom.js";
import { hhmmss } from "./clock.js";
import { state, watch } from "./state.js";

const names = { slack: "Slack", pagerduty: "PagerDuty", nightlatch: "log", ledger: "Ledger", orders: "orders" };

function row(e) {
  return el(
    "li", { class: e.bad ? "bad" : null, title: e.call },
    el("time", { datetime: e.at }, hhmmss(Date.parse(e.at))),
    el("span", { class: `from ${e.from}` }, names[e.from] ?? e.from),
    el("span", { class: "what" }, e.what, e.times > 1 && el("small", {}, ` ×${e.times}`), el("small", { class: "call" }, e.call)),
  );
}

let list;

function draw() {
  if (!list) {
    list = el("ol", { tabindex: "0", "aria-label": "Newest first" });
    fill(byId("wires"), el("h2", {}, "On the wires", el("small", {}, "sent, asked, recorded")), list);
  }
  fill(list, state.wires.toReversed().map(row));
}

watch(["scene", "wires"], draw);
