// The page. Each part draws itself when what it shows has changed; here they are put together.
import { byId } from "./dom.js";
import { hhmm, keepDates } from "./clock.js";
import { listen, state, watch } from "./state.js";
import "./tabs.js";
import "./guide.js";
import "./side.js";
import "./talk.js";
import "./token.js";
import "./modal.js";
import "./night.js";
import "./wires.js";

function tick() {
  byId("clock").textContent = hhmm(Date.now());
  keepDates();
}

watch(["scene"], tick);
setInterval(() => state.scene && tick(), 1000);

listen();
