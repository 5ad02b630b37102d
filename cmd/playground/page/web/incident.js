// The incident in PagerDuty, and what can be done about it.
import { byId, draw, el, firstName } from "./dom.js";
import { hhmm } from "./clock.js";
import { me, order, state, watch } from "./state.js";

const nameOf = (seat) => {
  const known = state.scene.cast.find((p) => p.pagerduty && p.pagerduty === seat);
  return known ? firstName(known) : seat;
};
const names = (seats) => seats.map(nameOf).join(" and ");

function sentence(i) {
  if (!i.number) return "Nothing has happened yet.";
  if (i.status === "resolved") return `${i.by ? nameOf(i.by) : "The alert itself"} resolved it at ${hhmm(Date.parse(i.at))}.`;
  const assigned = `Assigned to ${names(i.assigned) || "nobody"}`;
  return i.acknowledged.length ? `${assigned}, acknowledged by ${names([...new Set(i.acknowledged)])}.` : `${assigned}, not acknowledged.`;
}

const button = (change, label, enabled, title) =>
  el("button", {
    type: "button", class: "pill", "data-incident": change, disabled: !enabled, title,
    click: () => order("incident", { user: state.me, change }),
  }, label);

function incident() {
  const i = state.incident;
  if (!i) return;
  const open = i.number > 0 && i.status !== "resolved";
  const seat = me().pagerduty;
  const as = seat ? `As ${firstName(me())}` : `${firstName(me())} is not in PagerDuty: be somebody else`;
  draw(byId("incident"), [i, state.me], () => [
    el("h2", {}, el("span", { class: "title" }, i.number ? `#${i.number} ${i.title}` : "No incident"),
      i.number > 0 && el("span", { class: `status ${i.status}` }, i.status)),
    el("p", { class: "said" }, sentence(i)),
    el("div", { class: "controls" }, button("trigger", "Trigger", !open, "As the monitoring does"),
      button("acknowledge", "Acknowledge", open && seat, as), button("resolve", "Resolve", open && seat, as)),
  ]);
}

watch(["scene", "me", "incident"], incident);
