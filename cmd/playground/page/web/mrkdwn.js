// Slack's mrkdwn, as elements.
import { el, firstName } from "./dom.js";
import { state } from "./state.js";
import { slackDate } from "./clock.js";

const emoji = {
  warning: "⚠️", lock: "🔒", unlock: "🔓", key: "🔑", hourglass: "⌛", hourglass_flowing_sand: "⏳", white_check_mark: "✅",
  x: "❌", no_entry: "⛔", eyes: "👀", bell: "🔔", rotating_light: "🚨", moon: "🌙", crescent_moon: "🌙", information_source: "ℹ️",
  book: "📖", wave: "👋", point_right: "👉", arrow_right: "➡️", clock1: "🕐", closed_lock_with_key: "🔐", large_green_circle: "🟢",
  red_circle: "🔴", white_circle: "⚪",
};

export const emojiOf = (name) => emoji[name] ?? `:${name}:`;

const pattern = new RegExp(
  [
    "```([\\s\\S]+?)```", // 1
    "`([^`\\n]+)`", // 2
    "<([^>\\n]+)>", // 3
    "(?<![\\w*])\\*(\\S|\\S[^\\n]*?\\S)\\*(?![\\w*])", // 4
    "(?<!\\w)_(\\S|\\S[^\\n]*?\\S)_(?!\\w)", // 5
    "(?<!\\w)~(\\S|\\S[^\\n]*?\\S)~(?!\\w)", // 6
    ":([a-z0-9_+-]+):(?![a-z0-9])", // 7
  ].join("|"),
  "g",
);

const plain = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

/** mrkdwn returns the nodes of a text. */
export function mrkdwn(text) {
  const out = [];
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; ) {
    const quoted = [];
    while (i < lines.length && /^(&gt;|>) ?/.test(lines[i])) quoted.push(lines[i++].replace(/^(&gt;|>) ?/, ""));
    if (quoted.length) out.push(el("blockquote", {}, inline(quoted.join("\n"))));
    const free = [];
    while (i < lines.length && !/^(&gt;|>) ?/.test(lines[i])) free.push(lines[i++]);
    if (free.length) out.push(...inline(free.join("\n")));
  }
  return out;
}

function inline(text) {
  const out = [];
  let from = 0;
  for (const m of text.matchAll(pattern)) {
    const [whole, pre, code, angle, bold, italic, strike, name] = m;
    let node;
    if (pre !== undefined) node = el("pre", {}, plain(pre).replace(/^\n/, ""));
    else if (code !== undefined) node = el("code", {}, plain(code));
    else if (angle !== undefined) node = special(angle);
    else if (bold !== undefined) node = el("b", {}, inline(bold));
    else if (italic !== undefined) node = el("i", {}, inline(italic));
    else if (strike !== undefined) node = el("s", {}, inline(strike));
    else if (name in emoji) node = emoji[name];
    else continue;
    out.push(plain(text.slice(from, m.index)), node);
    from = m.index + whole.length;
  }
  out.push(plain(text.slice(from)));
  return out;
}

function special(inside) {
  const [body, label] = inside.split(/\|(.*)/s);
  if (body.startsWith("@")) return mention(body.slice(1));
  if (body.startsWith("#")) return channel(body.slice(1), label);
  if (body.startsWith("!date^")) {
    const [, at, format] = body.split("^");
    return date(Number(at) * 1000, format);
  }
  if (body.startsWith("!subteam^")) return el("span", { class: "mention" }, plain(label ?? "@group"));
  if (body.startsWith("!")) return el("span", { class: "mention" }, `@${body.slice(1)}`);
  return link(plain(body), label === undefined ? undefined : plain(label));
}

export function mention(id) {
  const known = state.scene.cast.find((p) => p.id === id);
  const name = known ? firstName(known) : id === state.scene.bot ? "Nightlatch" : id;
  return el("span", { class: id === state.me ? "mention mine" : "mention" }, `@${name}`);
}

export function channel(id, label) {
  const known = state.scene.channels.find((c) => c.id === id);
  return el("span", { class: "mention" }, `#${known ? known.name : label || id}`);
}

export function date(ms, format) {
  return el("time", { "data-at": String(ms), "data-format": format, datetime: new Date(ms).toISOString() }, slackDate(ms, format));
}

/** link goes only where a browser can go. */
export function link(url, label = url) {
  if (!/^(https?|mailto):/i.test(url)) return label;
  return el("a", { href: url, target: "_blank", rel: "noopener noreferrer" }, label);
}
