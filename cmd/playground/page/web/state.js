// What is known: told by the server, but for who one is and where one looks.
import { toast } from "./dom.js";

export const state = {
  scene: null, // what does not change
  screens: {}, // by Slack user ID
  shifts: [],
  incident: null,
  wires: [],
  ledger: [], // records, the oldest first
  steps: {},
  me: "", // Slack user ID
  place: "", // a channel's ID, "bot" or "home"
  seen: {}, // by person and place: the newest timestamp that was looked at
};

const watchers = [];

/** watch calls f whenever one of the named parts of the state changed. */
export function watch(parts, f) {
  watchers.push({ parts, f });
}

/** changed tells the watchers of a part. */
export function changed(part) {
  if (!state.scene) return;
  for (const w of watchers) if (w.parts.includes(part)) w.f();
}

const token = document.querySelector("meta[name=page-token]").content;

/** order has the server do something, and returns its answer, or null after saying what went wrong. */
export async function order(path, body) {
  let answer;
  try {
    const response = await fetch(`/api/${path}`, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-Page-Token": token },
      body: JSON.stringify(body),
    });
    if (response.status === 403) return afresh();
    answer = await response.json();
  } catch {
    answer = { error: "the playground does not answer; is it still running?" };
  }
  if (answer.error) toast(answer.error, "bad");
  if (answer.warning === "operation_timeout") toast("Slack: Nightlatch did not respond in time. Try again.", "bad");
  else if (answer.warning) toast("Slack: Nightlatch is not connected at this moment. Try again.", "bad");
  return answer.error ? null : answer;
}

/** afresh loads the page of a playground that was started again. */
function afresh() {
  sessionStorage.removeItem("looking");
  location.reload();
  return null;
}

/** begin begins the night again. */
export function begin() {
  changed("clear"); // nothing is tried while it ends
  return order("shift", { change: "again" });
}

/** told takes the progress. Another night begins as the first one did. */
function told(steps) {
  const before = state.steps;
  state.steps = steps;
  if (before.since !== steps.since) changed("screens");
  if (before.night !== undefined && before.night !== steps.night) {
    state.seen = {};
    be(state.scene.cast[0].id, state.scene.channels[0].id);
    changed("clear");
    changed("night");
  }
}

/** reload has Slack forget what it keeps in the browser only. */
export const reload = () => order("reload", {});

const kept = ["shifts", "incident", "wires", "ledger", "steps"]; // as they are told

/** listen follows the server's stream for ever. */
export function listen() {
  const stream = new EventSource(`/api/stream?token=${encodeURIComponent(token)}`);
  const on = (kind, take) => stream.addEventListener(kind, (event) => take(JSON.parse(event.data)));
  on("scene", (scene) => {
    state.scene = scene;
    const last = JSON.parse(sessionStorage.getItem("looking") ?? "{}"); // before the page was loaded again
    state.me ||= scene.cast.some((p) => p.id === last.me) ? last.me : scene.cast[0].id;
    state.place ||= last.place ?? scene.channels[0].id;
    for (const part of ["scene", "me", "screens", ...kept]) changed(part);
    if (state.place === "home") go("home");
  });
  on("screen", (screen) => {
    state.screens[screen.user] = screen;
    changed("screens");
  });
  for (const kind of kept) {
    on(kind, (now) => {
      if (kind === "steps") told(now);
      else state[kind] = now;
      changed(kind);
    });
  }
  stream.onopen = () => document.body.classList.remove("offline");
  stream.onerror = () => {
    document.body.classList.add("offline");
    if (stream.readyState === EventSource.CLOSED) revive(); // otherwise the browser tries it again
  };
}

/** revive waits until a playground answers again, and loads its page. */
async function revive() {
  try {
    await fetch("/", { cache: "no-store" });
    afresh();
  } catch {
    setTimeout(revive, 1000);
  }
}

export const person = (id) => state.scene.cast.find((p) => p.id === id);
export const me = () => person(state.me);
export const screen = () => state.screens[state.me];

/** placeOf says where a message stands: in a channel, or in the direct message with the bot. */
export const placeOf = (message) => (state.scene.channels.some((c) => c.id === message.channel) ? message.channel : "bot");

/** messagesAt lists what somebody sees at a place, oldest first. */
export function messagesAt(user, place) {
  const s = state.screens[user];
  if (!s) return [];
  return [...s.messages, ...s.ephemerals].filter((m) => placeOf(m) === place && m.ts > (state.steps.since ?? "")).sort((a, b) => (a.ts < b.ts ? -1 : 1));
}

/** unread counts what somebody has not looked at yet. */
export function unread(user, place) {
  const seen = state.seen[`${user} ${place}`] || "";
  return messagesAt(user, place).filter((m) => m.ts > seen).length;
}

/** be switches to a person, and to a place if one is given. */
export function be(user, place = state.place) {
  state.me = user;
  go(place);
}

/** go switches to a place. That the App Home is opened, Slack tells the program. */
export function go(place) {
  state.place = place;
  sessionStorage.setItem("looking", JSON.stringify({ me: state.me, place: state.place }));
  changed("me");
  if (state.place === "home") order("home", { user: state.me });
}

/** levelOf is on which line somebody is on call now: 1, 2 or 0; and until when. */
export function levelOf(user, now = Date.now()) {
  const seat = person(user)?.pagerduty;
  for (const row of state.shifts) {
    const bar = row.bars.find((b) => b.user === seat && seat && Date.parse(b.start) <= now && now < Date.parse(b.end));
    if (bar) return { level: row.level, until: Date.parse(bar.end) };
  }
  return { level: 0, until: 0 };
}
