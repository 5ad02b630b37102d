// The first two minutes. What is lit follows from what the screens show, not from what was clicked.
import { byId, draw, el, firstName } from "./dom.js";
import { be, person, state, watch } from "./state.js";
import { tab } from "./tabs.js";

const channel = () => state.scene.channels[0].id;
const cast = (i) => state.scene.cast[i].id;

const steps = [
  {
    key: "asked", title: "Ask", say: "You are Mara, on call. Order 4711 is stuck: send the first line that is offered below.",
    who: 0, place: channel, tab: "talk",
  },
  {
    key: "approved", title: "Approve", say: "It takes a yes: be Jonas, the next level, and approve.",
    who: 1, place: channel, tab: "talk",
  },
  {
    key: "revealed", title: "Reveal", say: "Nightlatch wrote to Mara. Be her again, and press Reveal.",
    who: 0, place: () => "bot", tab: "talk",
  },
  { key: "used", title: "Use it", say: "Copy the secret, and call the orders API with it.", who: 0, place: () => "bot", tab: "token" },
  { key: "over", title: "End the shift", say: "End the shift in PagerDuty: the token dies with it.", tab: "night" },
];
const after = {
  title: "", say: "That was a night. Now ask as Priya, who is off call.",
  who: 2, place: channel, tab: "talk",
};

/** label says where a step is done, if that is not where one is. */
function label(step) {
  const name = step.who === undefined ? "" : firstName(person(cast(step.who)));
  if (step.who !== undefined && state.me !== cast(step.who)) return `Be ${name}`;
  if (step.place && state.place !== step.place() && step.tab === "talk") return "Go there";
  return document.body.dataset.tab !== step.tab ? "Show me" : "";
}

function guide() {
  const current = steps.findIndex((s) => !state.steps[s.key]);
  draw(byId("steps"), state.steps, () =>
    steps.map((s, i) =>
      el("li", { class: state.steps[s.key] ? "done" : i === current ? "current" : "", "aria-current": i === current ? "step" : null },
        el("span", { class: "n" }, state.steps[s.key] ? "✓" : String(i + 1)), el("span", { class: "title" }, s.title))),
  );
  const step = steps[current] ?? after;
  const action = label(step);
  const go = () => {
    tab(step.tab);
    if (step.who !== undefined) be(cast(step.who), step.place());
    guide();
  };
  const wide = step.tab !== "talk" && state.me === cast(step.who ?? 0) ? "phone" : ""; // on a wide page it is in sight
  draw(byId("hint"), [step.say, action, wide], () => [
    el("span", {}, step.say), action && el("button", { type: "button", class: `pill go ${wide}`, click: go }, action),
  ]);
}

watch(["scene", "me", "steps", "tab"], guide);
