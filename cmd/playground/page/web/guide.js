// The first two minutes. What is lit and what is said follows from what the screens show, not from what was clicked.
import { byId, draw, el, firstName } from "./dom.js";
import { next } from "./plot.js";
import { be, begin, go, state, watch } from "./state.js";
import { tab } from "./tabs.js";

const steps = [
  { key: "asked", title: "Ask" }, { key: "approved", title: "Approve" }, { key: "revealed", title: "Reveal" },
  { key: "used", title: "Use it" }, { key: "over", title: "End the shift" },
];

let looked = false; // at the dead token

const narrow = matchMedia("(max-width: 860px)");

/** inSight says whether a part of the page is shown. */
const inSight = (part) => !narrow.matches || document.body.dataset.tab === part;

/** label says where a step is done, if that is not where one is. */
function label(step) {
  if (step.again) return "Begin again";
  if (step.who && state.me !== step.who.id) return `Be ${firstName(step.who)}`;
  if (step.place && state.place !== step.place && inSight("talk")) return "Go there";
  return inSight(step.tab) ? "" : "Show me";
}

function follow(step) {
  if (step.again) return begin();
  tab(step.tab);
  if (step.who) be(step.who.id, step.place);
  else if (step.place) go(step.place);
}

function lights() {
  const current = steps.findIndex((s) => !state.steps[s.key]);
  const sign = (s, i) => (s.key === "approved" && state.steps.skipped ? "–" : state.steps[s.key] ? "✓" : String(i + 1));
  draw(byId("steps"), [state.steps, current], () =>
    steps.map((s, i) =>
      el("li", { class: state.steps[s.key] ? "done" : i === current ? "current" : "", "aria-current": i === current ? "step" : null },
        el("span", { class: "n" }, sign(s, i)), el("span", { class: "title" }, s.title))),
  );
}

function guide() {
  lights();
  if (!state.steps.over) looked = false;
  else looked ||= inSight("token");
  const step = next(looked);
  const action = label(step);
  const say = step.who && step.who.id === state.me && step.mine ? step.mine : step.say;
  draw(byId("hint"), [say, action], () => [
    el("span", {}, say), action && el("button", { type: "button", class: "pill go", click: () => follow(next(looked)) }, action),
  ]);
}

narrow.addEventListener("change", () => state.scene && guide());
watch(["scene", "me", "screens", "shifts", "ledger", "steps", "token", "tab"], guide);
setInterval(() => state.scene && guide(), 1000);
