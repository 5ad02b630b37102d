// Who one is, and where one can look.
import { avatar, byId, draw, el, firstName } from "./dom.js";
import { hhmm } from "./clock.js";
import { be, go, levelOf, state, unread, watch } from "./state.js";

/** status says what somebody is now. */
function status(p) {
  const { level, until } = levelOf(p.id);
  if (level === 1) return `On call until ${hhmm(until)}`;
  if (level > 1) return `Next level until ${hhmm(until)}`;
  return p.pagerduty ? "Off call" : `${p.title}, no PagerDuty`;
}

const short = (level) => ["Off call", "On call"][level] ?? `Level ${level}`;

function people() {
  const places = [...state.scene.channels.map((c) => c.id), "bot"];
  const all = state.scene.cast.map((p, i) => ({
    p, i, mine: p.id === state.me, level: levelOf(p.id).level, status: status(p),
    waits: p.id !== state.me && places.some((place) => unread(p.id, place) > 0),
  }));
  draw(byId("people"), all, () => all.map(who));
}

function who({ p, i, mine, level, status, waits }) {
  const note = p.pagerduty ? null : "Who is not in PagerDuty may vote, and is never let in at once";
  return el(
    "button",
    { type: "button", class: "who", "data-person": p.id, "aria-pressed": String(mine), title: note, click: () => be(p.id) },
    avatar(p, i),
    el("span", { class: "name" }, el("b", {}, el("span", { class: "first" }, firstName(p)), el("span", { class: "rest" }, p.name.slice(firstName(p).length))),
      el("small", { class: level === 1 ? "long on" : "long" }, status), el("small", { class: level === 1 ? "short on" : "short" }, p.pagerduty ? short(level) : p.title)),
    waits && el("span", { class: "dot", title: "something new" }),
  );
}

function place({ id, name, here, n }) {
  return el(
    "button",
    { type: "button", class: n ? "place new" : "place", "data-place": id, "aria-current": here ? "page" : null, click: () => go(id) },
    id === "bot" || id === "home" ? el("img", { src: "/web/icon.svg", alt: "", width: "18", height: "18", class: "sign" }) : el("span", { class: "sign" }, "#"),
    el("span", { class: "place-name" }, name), n > 0 && el("span", { class: "count" }, String(n)),
  );
}

function places() {
  const at = (id, name) => ({ id, name, here: id === state.place, n: id === state.place ? 0 : unread(state.me, id) });
  const channels = state.scene.channels.map((c) => at(c.id, c.name));
  const direct = [at("bot", "Nightlatch"), at("home", "App Home")];
  draw(byId("places"), [channels, direct], () => [
    el("h2", {}, "Channels"), channels.map(place), el("h2", {}, "Direct messages"), direct.map(place),
  ]);
}

function both() {
  people();
  places();
}

watch(["scene", "me", "screens", "shifts"], both);
setInterval(() => state.scene && people(), 5000);
