// The page. Each part draws itself when what it shows has changed; here they are put together.
import { byId } from "./dom.js";
import { hhmm, keepDates } from "./clock.js";
import { listen, reload, state, watch } from "./state.js";
import "./tabs.js";
import "./guide.js";
import "./side.js";
import "./talk.js";
import "./token.js";
import "./modal.js";
import "./night.js";
import "./incident.js";
import "./log.js";

function tick() {
  byId("clock").textContent = hhmm(Date.now());
  keepDates();
}

watch(["scene"], tick);
setInterval(() => state.scene && tick(), 1000);

// To load the page again is to load Slack again: what was for one's eyes only is gone, and so is an open window.
if (performance.getEntriesByType("navigation")[0]?.type === "reload") await reload();
listen();
