// Elements are made here and nowhere else; text is always text, never markup.

/** el makes an element. Of props, functions become listeners, "class" and data- and aria- ones attributes. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
  return node;
}

/** fill replaces the children of a node. */
export function fill(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false && c !== ""));
}

const drawnFor = new WeakMap();

/** draw fills a node anew only if what it is made of has changed: a button that is replaced while it is pressed is not pressed. */
export function draw(node, madeOf, make) {
  const key = JSON.stringify(madeOf);
  if (drawnFor.get(node) === key) return;
  drawnFor.set(node, key);
  fill(node, make());
}

export const byId = (id) => document.getElementById(id);

/** toast says something for a few seconds. */
export function toast(text, kind = "") {
  const node = el("div", { class: `toast ${kind}` }, text);
  byId("toasts").append(node);
  setTimeout(() => node.remove(), kind ? 6000 : 3000);
}

/** colour is the class of a person's colour, by their place in the cast. */
export const colour = (index) => `c${(index + 5) % 5}`;

export const firstName = (person) => person.name.split(" ")[0];

/** avatar is a person's square. */
export function avatar(person, index, extra = "") {
  const initials = person.name.split(" ").map((part) => part[0]).join("");
  return el("span", { class: `avatar ${colour(index)} ${extra}`, "aria-hidden": "true" }, initials);
}
