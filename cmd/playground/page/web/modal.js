// The window on top of what one sees. It lies over the conversation only: the token box beside it stays in reach.
import { byId, el, fill, toast } from "./dom.js";
import { render } from "./blocks.js";
import { collect } from "./inputs.js";
import { press } from "./talk.js";
import { give } from "./token.js";
import { order, screen, state, watch } from "./state.js";

let drawn = "";

const close = () => order("close", { user: state.me });

async function copy(text) {
  give(text);
  try {
    await navigator.clipboard.writeText(text);
    toast("Copied. The token box has it, too.");
  } catch {
    toast("The token box has it now. This browser gives no clipboard.");
  }
}

function draw() {
  const layer = byId("layer");
  const view = screen()?.modal;
  const source = view ? state.me + JSON.stringify([view.id, view.title, view.blocks, view.errors, view.submit]) : "";
  if (source === drawn) return;
  const entering = !drawn;
  drawn = source;
  layer.hidden = !view;
  if (!view) return fill(layer);
  const form = el(
    "form", { class: "window", role: "dialog", "aria-modal": "true", "aria-label": view.title, novalidate: true },
    el("header", {}, el("img", { src: "/web/icon.svg", alt: "", width: "24", height: "24" }), el("h2", {}, view.title),
      el("button", { type: "button", class: "shut", "aria-label": "Close", click: close }, "×")),
    el("div", { class: "contents" }, render(view.blocks, { buttons: view.buttons, press, copy, view })),
    el("footer", {}, el("button", { type: "button", class: "button", click: close }, view.close || (view.submit ? "Cancel" : "Close")),
      view.submit && el("button", { type: "submit", class: "button primary" }, view.submit)),
  );
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("[type=submit]");
    button.disabled = true;
    await order("submit", { user: state.me, inputs: collect(form) });
    button.disabled = false;
  });
  fill(layer, form);
  if (entering) (form.querySelector("[data-input]") ?? form.querySelector(".shut")).focus({ preventScroll: true });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && !byId("layer").hidden) close();
});

watch(["scene", "me", "screens"], draw);
