// The clock of the night: as fast as any other, but it shows fourteen past two when the playground was opened.
import { state } from "./state.js";

const two = (n) => String(n).padStart(2, "0");
const day = 24 * 3600 * 1000;
const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
const weekdays = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/** night is a moment as the night's clock shows it; read it with the UTC getters. */
export const night = (ms) => new Date(ms + (state.scene?.ahead ?? 0));

export const hhmm = (ms) => `${two(night(ms).getUTCHours())}:${two(night(ms).getUTCMinutes())}`;
export const hhmmss = (ms) => `${hhmm(ms)}:${two(night(ms).getUTCSeconds())}`;

/** ago says how far a moment is from now. */
export function ago(ms, now = Date.now()) {
  const seconds = Math.round(Math.abs(ms - now) / 1000);
  const [n, unit] =
    seconds < 60 ? [seconds, "second"]
    : seconds < 3600 ? [Math.floor(seconds / 60), "minute"]
    : seconds < 86400 ? [Math.floor(seconds / 3600), "hour"]
    : [Math.floor(seconds / 86400), "day"];
  const text = `${n} ${unit}${n === 1 ? "" : "s"}`;
  return ms >= now ? `in ${text}` : `${text} ago`;
}

function pretty(ms, otherwise) {
  const days = Math.floor(night(ms).getTime() / day) - Math.floor(night(Date.now()).getTime() / day);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days] ?? otherwise;
}

/** slackDate fills in the placeholders of Slack's date format. */
export function slackDate(ms, format) {
  const d = night(ms);
  const month = months[d.getUTCMonth()];
  const date = `${month} ${d.getUTCDate()}, ${d.getUTCFullYear()}`;
  const short = `${month.slice(0, 3)} ${d.getUTCDate()}, ${d.getUTCFullYear()}`;
  const long = `${weekdays[d.getUTCDay()]}, ${date}`;
  const known = {
    date, date_short: short, date_long: long,
    date_pretty: pretty(ms, date), date_short_pretty: pretty(ms, short), date_long_pretty: pretty(ms, long),
    date_num: `${d.getUTCFullYear()}-${two(d.getUTCMonth() + 1)}-${two(d.getUTCDate())}`,
    time: hhmm(ms), time_secs: hhmmss(ms), ago: ago(ms),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => known[name] ?? whole);
}

/** keepDates says again and again what the dates on the page are, for some of them are relative. */
export function keepDates() {
  for (const node of document.querySelectorAll("time[data-format]")) {
    const text = slackDate(Number(node.dataset.at), node.dataset.format);
    if (node.textContent !== text) node.textContent = text;
  }
}
