// A box in which a token can be tried on the demo APIs. The token is nowhere but in its field.
import { byId, el, fill } from "./dom.js";
import { ago, hhmmss } from "./clock.js";
import { claims, endOf, serviceOf } from "./claims.js";
import { lastEnd } from "./night.js";
import { changed, order, state, watch } from "./state.js";

const every = 500; // ms between two calls while the token is good
const most = 24; // dots
const soon = 10; // s after an end in which a death is its work

const empty = "Reveal a secret, and copy it: then it is here.";

let field, call, result, dots, note;
let timer = 0;
let lived = false; // the token in the field was good
let history = [];
let last = null; // answer, and when

/** give puts a token into the field. */
export function give(token) {
  field.value = token;
  fresh();
}

/** holdsToken says whether there is something to try. */
export const holdsToken = () => Boolean(field?.value.trim());

/** death says how the token in the field ended, if it lived and is refused. */
export const death = () => (last && last.status === 401 && lived ? `${last.status}, ${verdict(last.status, last.at).replace("Dead ", "")}` : "");

const token = () => claims(field.value.trim());

function fresh() {
  clearTimeout(timer);
  lived = false;
  history = [];
  last = null;
  fill(dots);
  fill(result);
  const service = serviceOf(token());
  if (service && !service.calls.includes(call.value)) call.value = service.calls[0];
  if (!field.value) fill(note, empty);
  else fill(note, service?.offline ? bound() : `Call the ${service?.name ?? "orders API"} with it.`);
  changed("token");
}

async function attempt() {
  clearTimeout(timer);
  const tried = field.value.trim();
  const answer = await order("try", { token: tried, call: call.value });
  if (!answer || tried !== field.value.trim()) return;
  show(answer);
  if (answer.status === 200) {
    lived = true;
    // It was released; looking on needs no second release.
    if (call.value.startsWith("POST")) call.value = state.scene.services.find((s) => s.calls.includes(call.value)).calls[0];
    timer = setTimeout(attempt, every);
  }
}

function show(answer) {
  const good = answer.status < 300;
  const now = Date.now();
  history.push({ good, at: now, status: answer.status });
  history = history.slice(-most);
  fill(dots, history.map((h) => el("i", { class: h.good ? "good" : "bad", title: `${h.status} at ${hhmmss(h.at)}` })));
  fill(result, el("b", { class: good ? "code good" : "code bad" }, `${answer.status} ${answer.text}`), el("code", {}, line(answer.body)));
  last = { status: answer.status, at: now, stuck: answer.body?.state === "stuck" };
  explain();
  changed("token");
}

/** explain says what the last answer means. The ledger's word on the end may come later than the end. */
function explain() {
  if (last) fill(note, verdict(last.status, last.at), aside());
}

/** aside says what else is to be known of it. */
function aside() {
  if (last.status === 200 && last.stuck) return " The order is still stuck: POST … /release is what it waits for.";
  const held = token();
  const warned = last.status === 401 && held && state.ledger.some((r) => r.grant === held.grant && r.kind === "dead use");
  return warned ? " Slack's warning is about this page's tries." : "";
}

/** verdict says what an answer meant at a moment. */
function verdict(status, now) {
  if (status < 300) return serviceOf(token())?.offline ? bound() : "The token is live. It is tried twice a second.";
  if (status === 403) return "The token is live, and does not open this.";
  if (!lived) return "Not let in.";
  const expires = token()?.expires ?? Infinity;
  if (now >= expires) return `It expired by itself at ${hhmmss(expires)}.`;
  const after = (at) => (now - at) / 1000;
  const end = endOf(token());
  const shift = after(lastEnd());
  if ((!end || end.outcome === "shift ended") && shift >= 0 && shift < soon) return `Dead ${shift.toFixed(1)} s after the end of the shift.`;
  if (end && after(end.at) >= 0 && after(end.at) < soon) return `Dead ${after(end.at).toFixed(1)} s after the end of its grant: ${end.outcome}.`;
  return "The token lived, and is dead now.";
}

/** bound says until when a token is let in by a service that asks nobody. */
function bound() {
  const held = token();
  const until = el("b", {}, hhmmss(held.expires));
  const end = endOf(held);
  const name = serviceOf(held).name;
  if (!end) return [`The ${name} asks nobody, so nobody can cut this token: it is good until `, until, ", even if its grant ends before."];
  return [`Its grant ended at ${hhmmss(end.at)}, and the ${name} cannot know: it lets the token in until `, until, ` at most (${ago(held.expires)}).`];
}

/** line is an answer in one line, or two. */
function line(body) {
  if (Array.isArray(body)) return body.map((o) => `${o.id} ${o.state}`).join(", ");
  if (body?.error_description) return body.error_description;
  if (body?.id) return `order ${body.id}, ${body.item}: ${body.state}`;
  return typeof body === "string" ? body : JSON.stringify(body);
}

function build() {
  if (field) return;
  field = el("input", { type: "text", id: "secret", autocomplete: "off", spellcheck: "false", placeholder: "eyJ…", "aria-label": "Token", input: fresh });
  call = el("select", { id: "call", "aria-label": "Call" },
    state.scene.services.map((s) => el("optgroup", { label: s.offline ? `${s.name}, asks nobody` : `${s.name}, asks Nightlatch` }, s.calls.map((c) => el("option", {}, c)))));
  result = el("p", { class: "result", id: "result" });
  dots = el("div", { class: "dots", "aria-hidden": "true" });
  note = el("p", { class: "said", id: "note" }, empty);
  const form = el("form", { submit: (event) => { event.preventDefault(); attempt(); } },
    field, el("div", { class: "pair" }, call, el("button", { type: "submit", class: "pill strong", id: "try" }, "Call")));
  fill(byId("token"), el("h2", {}, "Try the token", dots), form, result, note);
}

watch(["scene"], build);
watch(["ledger", "shifts"], explain);
watch(["clear"], () => field && give(""));
