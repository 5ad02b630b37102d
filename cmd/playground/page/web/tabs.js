// On a phone one part of the page is shown at a time.
import { byId, el, fill } from "./dom.js";
import { changed, watch } from "./state.js";

const tabs = [["talk", "Slack"], ["night", "PagerDuty"], ["token", "Token"], ["log", "Ledger"]];

/** tab shows a part of the page. */
export function tab(name) {
  document.body.dataset.tab = name;
  changed("tab");
}

function draw() {
  fill(
    byId("tabs"),
    tabs.map(([name, label]) =>
      el("button", { type: "button", "data-tab": name, "aria-pressed": String(document.body.dataset.tab === name), click: () => tab(name) }, label)),
  );
}

watch(["scene", "tab"], draw);
watch(["night"], () => tab("talk"));
