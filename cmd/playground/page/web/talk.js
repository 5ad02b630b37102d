// The conversation that one looks at: its messages, and the line in which one writes.
import { avatar, byId, el, fill, firstName, toast } from "./dom.js";
import { hhmm } from "./clock.js";
import { render } from "./blocks.js";
import { mrkdwn } from "./mrkdwn.js";
import { me, messagesAt, order, screen, state, watch } from "./state.js";

/** press has the person whom one is press a button. */
export async function press(button, node) {
  node.disabled = true;
  node.classList.add("busy");
  await order("press", { user: state.me, button });
  node.disabled = false;
  node.classList.remove("busy");
}

function message(m) {
  const blocks = m.blocks?.length ? render(m.blocks, { buttons: m.buttons, press }) : el("p", {}, mrkdwn(m.text));
  return el(
    "article", { class: m.ephemeral ? "message ephemeral" : "message", "data-ts": m.ts },
    m.ephemeral && el("div", { class: "only" }, el("img", { src: "/web/eye.svg", alt: "", width: "14", height: "14" }), "Only visible to you"),
    el("img", { class: "avatar bot", src: "/web/icon.svg", alt: "", width: "36", height: "36" }),
    el(
      "div", { class: "body" },
      el("div", { class: "by" }, el("b", {}, "Nightlatch"), el("span", { class: "app" }, "APP"),
        el("time", { datetime: m.posted_at }, hhmm(Number(m.ts) * 1000))),
      blocks,
      m.edited && el("small", { class: "edited" }, "(edited)"),
    ),
  );
}

const drawn = new Map(); // of the place that is shown: timestamp → what it was made of, and the element
let shown = "";

function messages() {
  const box = byId("messages");
  const where = `${state.me} ${state.place}`;
  const night = `${where} ${state.steps.night}`;
  const list = messagesAt(state.me, state.place);
  const bottom = night !== shown || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  if (night !== shown) {
    drawn.clear();
    fill(box, welcome());
  }
  shown = night;
  const nodes = list.map((m) => {
    const source = JSON.stringify(m);
    if (drawn.get(m.ts)?.source !== source) drawn.set(m.ts, { source, node: message(m) });
    return drawn.get(m.ts).node;
  });
  // What has not changed stays where it is, so that a button that is being pressed is.
  nodes.forEach((node, i) => {
    if (box.children[i + 1] !== node) box.insertBefore(node, box.children[i + 1] ?? null);
  });
  while (box.childElementCount > nodes.length + 1) box.lastElementChild.remove();
  if (bottom) box.scrollTop = box.scrollHeight;
  if (list.length) state.seen[where] = list.at(-1).ts;
}

function welcome() {
  const channel = state.scene.channels.find((c) => c.id === state.place);
  const title = channel ? `# ${channel.name}` : "Nightlatch";
  const text = channel
    ? "Requests that need a yes are asked here. What Nightlatch answers to you alone is marked so."
    : "Direct messages: news that you should not miss.";
  const night = state.steps.night > 0 && "A new night. What was written before is not shown; the ledger has what was recorded.";
  return el("div", { class: "welcome" }, el("h3", {}, title), el("p", {}, text), night && el("p", { class: "anew" }, night));
}

function home() {
  const view = screen().home;
  const named = (key, value) => (key === "block_id" ? undefined : value); // Slack names blocks anew each time
  const source = `${state.me} home ${JSON.stringify(view?.blocks ?? null, named)}`;
  if (shown === source) return; // a button that is being pressed stays
  const box = byId("messages");
  const top = shown.startsWith(`${state.me} home `) ? box.scrollTop : 0;
  shown = source;
  drawn.clear();
  fill(box, view
    ? el("div", { class: "home" }, render(view.blocks, { get buttons() { return screen().home.buttons; }, press, view }))
    : el("div", { class: "welcome" }, el("p", {}, "Nightlatch fills this when it hears that you look. If nothing comes, open it again.")));
  box.scrollTop = top;
}

function head() {
  const channel = state.scene.channels.find((c) => c.id === state.place);
  const people = state.scene.cast.map((p, i) => avatar(p, i, "small"));
  fill(
    byId("head"),
    el("h2", {}, channel ? `# ${channel.name}` : state.place === "home" ? "Nightlatch · Home" : "Nightlatch"),
    el("p", {}, channel ? channel.topic : state.place === "home" ? "Your own access, always current" : `Between ${firstName(me())} and the bot`),
    channel && el("span", { class: "members", title: `${people.length} people` }, people),
  );
}

function composer() {
  const line = byId("line");
  byId("composer").hidden = state.place === "home";
  line.placeholder = `Write as ${firstName(me())}: /access …`;
  const lines = [...(state.scene.suggestions[state.me] ?? []), "/access", "/access help"];
  fill(
    byId("suggestions"),
    lines.map((text) => el("button", { type: "button", class: "suggestion", click: () => { line.value = text; line.focus(); } }, text)),
  );
}

byId("composer").addEventListener("submit", async (event) => {
  event.preventDefault();
  const line = byId("line");
  const text = line.value.trim();
  if (!/^\/access\b/.test(text)) return toast("Only commands work here: write /access, or take one of the lines above.");
  line.value = "";
  const channel = state.place === "bot" ? "" : state.place;
  if (!(await order("command", { user: state.me, channel, line: text }))) line.value ||= text;
});

function draw() {
  if (!screen()) return;
  head();
  if (state.place === "home") home();
  else messages();
}

watch(["scene", "me"], composer);
watch(["scene", "me", "screens", "night"], draw);
