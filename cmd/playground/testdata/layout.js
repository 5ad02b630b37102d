// Answers what overflows and what lies on something else, as sentences.
(() => {
  const problems = [];
  const page = document.documentElement;
  const say = (node) => `${node.tagName.toLowerCase()}.${[...node.classList].join(".")} "${(node.innerText || node.value || "").trim().slice(0, 40)}"`;
  const clips = (node) => getComputedStyle(node).overflowX !== "visible" || getComputedStyle(node).overflowY !== "visible";

  // What of a node can be seen: its box, cut by everything around it that clips.
  const seen = (node) => {
    if (!node.checkVisibility({ visibilityProperty: true })) return null;
    let { left, top, right, bottom } = node.getBoundingClientRect();
    for (let up = node.parentElement; up; up = up.parentElement) {
      if (!clips(up)) continue;
      const box = up.getBoundingClientRect();
      left = Math.max(left, box.left);
      top = Math.max(top, box.top);
      right = Math.min(right, box.right);
      bottom = Math.min(bottom, box.bottom);
    }
    return right - left > 1 && bottom - top > 1 ? { left, top, right, bottom } : null;
  };

  for (const node of [page, document.body]) {
    if (node.scrollWidth > node.clientWidth) problems.push(`the page is ${node.scrollWidth} wide on a screen of ${node.clientWidth}`);
    if (node.scrollHeight > page.clientHeight) problems.push(`the page is ${node.scrollHeight} high on a screen of ${page.clientHeight}`);
  }

  // What scrolls sideways on purpose, or ends in an ellipsis.
  const may = (node) => {
    const style = getComputedStyle(node);
    return style.textOverflow === "ellipsis" || ["auto", "scroll"].includes(style.overflowX);
  };
  const boxes = ".card, .message, .block, .window, .contents, .head, .hint, .steps, .who, .said, .result, .welcome, .line, .track, button, .row, .brand, .hour, .incident, .controls, .log li, .home";
  for (const node of document.querySelectorAll(boxes)) {
    if (!seen(node)) continue;
    if (node.scrollWidth > node.clientWidth + 1 && node.clientWidth > 0 && !may(node)) {
      problems.push(`${say(node)} holds ${node.scrollWidth} in a width of ${node.clientWidth}`);
    }
    const box = node.getBoundingClientRect();
    const scrolled = node.closest(".suggestions, .places");
    if (!scrolled && (box.left < -1 || box.right > page.clientWidth + 1)) problems.push(`${say(node)} reaches from ${box.left} to ${box.right}`);
  }

  // On a phone everything is pressed with a thumb.
  const thumb = 40;
  for (const node of page.clientWidth <= 860 ? document.querySelectorAll("button, select") : []) {
    if (seen(node) && node.getBoundingClientRect().height < thumb) problems.push(`${say(node)} is only ${node.getBoundingClientRect().height} high`);
  }

  // What one chooses by can be read, on the sizes that people have.
  const common = (page.clientWidth >= 360 && page.clientWidth <= 860) || page.clientWidth >= 1280;
  for (const node of common ? document.querySelectorAll(".place-name, .who b, .who small, .suggestion:first-child") : []) {
    if (seen(node) && node.scrollWidth > node.clientWidth) problems.push(`${say(node)} is cut`);
  }

  // With a window open, what is under it is covered on purpose.
  const layer = document.querySelector(".layer:not([hidden])");
  const covered = (node) => layer && node.closest(".talk") && !layer.contains(node);
  const apart = (selector) => {
    const nodes = [...document.querySelectorAll(selector)].filter((n) => !covered(n)).map((node) => ({ node, box: seen(node) })).filter((n) => n.box);
    nodes.forEach((a, i) => {
      for (const b of nodes.slice(i + 1)) {
        if (a.node.contains(b.node) || b.node.contains(a.node)) continue;
        const wide = Math.min(a.box.right, b.box.right) - Math.max(a.box.left, b.box.left);
        const high = Math.min(a.box.bottom, b.box.bottom) - Math.max(a.box.top, b.box.top);
        if (wide > 1 && high > 1) problems.push(`${say(a.node)} lies on ${say(b.node)}`);
      }
    });
  };
  apart("button, input, select, textarea, a");
  apart(".card, .message, .composer, .head, .brand, .hour, .guide, .side, .tabs");
  apart(".block, .by, .only");
  apart("#shifts, #incident");
  apart(".ticks span");
  apart(".steps li");
  return problems;
})()
