// Block Kit, as elements.
import { el } from "./dom.js";
import { channel, date, emojiOf, link, mention, mrkdwn } from "./mrkdwn.js";
import { input } from "./inputs.js";

/**
 * render returns the elements of blocks.
 * context: {buttons: what can be pressed, press(button, node), copy(text), view}
 */
export const render = (blocks, context) => (blocks ?? []).map((block) => one(block, context)).filter(Boolean);

/** words are a text object's. */
export const words = (text) => (!text ? [] : text.type === "mrkdwn" ? mrkdwn(text.text) : [text.text]);

function one(block, context) {
  switch (block.type) {
    case "section":
      return el(
        "div", { class: "block section" },
        el("div", { class: "section-text" }, block.text && el("p", {}, words(block.text)),
          block.fields && el("div", { class: "fields" }, block.fields.map((f) => el("p", {}, words(f))))),
        block.accessory && element(block.accessory, block, context),
      );
    case "header":
      return el("h3", { class: "block" }, words(block.text));
    case "divider":
      return el("hr", { class: "block" });
    case "context":
      return el("div", { class: "block context" }, block.elements.map((e) => (e.type === "image" ? null : el("span", {}, words(e)))));
    case "actions":
      return el("div", { class: "block actions" }, block.elements.map((e) => element(e, block, context)));
    case "rich_text":
      return el("div", { class: "block rich" }, block.elements.map((e) => rich(e, context)));
    case "markdown":
      return el("p", { class: "block" }, block.text);
    case "input":
      return input(block, context.view);
    case "image":
      return el("p", { class: "block context" }, block.alt_text); // nothing is loaded from elsewhere
    default:
      return el("p", { class: "block context" }, `(${block.type})`);
  }
}

function element(e, block, context) {
  if (e.type !== "button") return input({ element: e, block_id: block.block_id, bare: true }, context.view);
  const target = () => { // when it is pressed, for the view may have come anew with other names of its blocks
    const same = context.buttons.filter((b) => b.action_id === (e.action_id ?? "") && b.value === (e.value ?? ""));
    return same.find((b) => b.block_id === block.block_id) ?? same[0];
  };
  const node = el(
    "button",
    { type: "button", class: `button ${e.style ?? ""}`, "data-action": e.action_id, click: () => target() && context.press(target(), node, e.confirm) },
    e.text.text,
  );
  return node;
}

function rich(part, context) {
  switch (part.type) {
    case "rich_text_quote":
      return el("blockquote", {}, part.elements.map(piece));
    case "rich_text_list":
      return el(part.style === "ordered" ? "ol" : "ul", {}, part.elements.map((item) => el("li", {}, item.elements.map(piece))));
    case "rich_text_preformatted": {
      const text = part.elements.map((e) => e.text ?? e.url ?? "").join("");
      const copy = context.copy && el("button", { type: "button", class: "button copy", click: () => context.copy(text) }, "Copy");
      return el("div", { class: "pre" }, el("pre", { tabindex: "0" }, text), copy);
    }
    default:
      return el("p", {}, part.elements.map(piece));
  }
}

function piece(e) {
  switch (e.type) {
    case "user":
      return mention(e.user_id);
    case "channel":
      return channel(e.channel_id);
    case "usergroup":
      return el("span", { class: "mention" }, "@group");
    case "broadcast":
      return el("span", { class: "mention" }, `@${e.range}`);
    case "link":
      return styled(link(e.url, e.text || e.url), e.style);
    case "emoji":
      return emojiOf(e.name);
    case "date":
      return date(e.timestamp * 1000, e.format);
    default:
      return styled(e.text ?? "", e.style);
  }
}

function styled(node, style = {}) {
  if (style.code) node = el("code", {}, node);
  if (style.bold) node = el("b", {}, node);
  if (style.italic) node = el("i", {}, node);
  if (style.strike) node = el("s", {}, node);
  return node;
}
