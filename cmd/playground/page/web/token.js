// A box in which a token can be tried on the demo API. The token is nowhere but in its field.
import { byId, el, fill } from "./dom.js";
import { hhmmss } from "./clock.js";
import { lastEnd } from "./night.js";
import { order, watch } from "./state.js";

const calls = ["GET /v1/orders", "GET /v1/orders/4711", "POST /v1/orders/4711/release"];
const every = 500; // ms between two calls while the token is good
const most = 40; // dots

let field, call, result, dots, note;
let timer = 0;
let lived = false; // the token in the field was good
let history = [];

/** give puts a token into the field. */
export function give(token) {
  field.value = token;
  fresh();
}

function fresh() {
  clearTimeout(timer);
  lived = false;
  history = [];
  fill(dots);
  fill(note, "Call the orders API with it.");
  fill(result);
}

async function attempt() {
  clearTimeout(timer);
  const token = field.value.trim();
  const answer = await order("try", { token, call: call.value });
  if (!answer || token !== field.value.trim()) return;
  show(answer);
  if (answer.status === 200) {
    lived = true;
    if (call.value.startsWith("POST")) call.value = calls[1]; // it was released; looking on needs no second release
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
  if (good) fill(note, "The token is live. It is tried twice a second.");
  else if (lived) {
    const late = (now - lastEnd()) / 1000;
    fill(note, late >= 0 && late < 10 ? `Dead ${late.toFixed(1)} s after the end of the shift.` : "The token lived, and is dead now.");
  } else fill(note, answer.status === 403 ? "The token is live, and does not open this." : "Not let in.");
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
  call = el("select", { id: "call", "aria-label": "Call" }, calls.map((c) => el("option", {}, c)));
  call.value = calls[1];
  result = el("p", { class: "result", id: "result" });
  dots = el("div", { class: "dots", "aria-hidden": "true" });
  note = el("p", { class: "said" }, "Reveal a secret, copy it, and paste it here.");
  const form = el("form", { submit: (event) => { event.preventDefault(); attempt(); } },
    field, el("div", { class: "pair" }, call, el("button", { type: "submit", class: "pill strong", id: "try" }, "Call")));
  fill(byId("token"), el("h2", {}, "Orders API", el("small", {}, "what the token opens")), form, result, dots, note);
}

watch(["scene"], build);
