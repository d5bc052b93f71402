// Elements. Text becomes text nodes only: nothing here, or anywhere on the page, parses HTML.

const SVG = "http://www.w3.org/2000/svg";

export const byId = (id) => document.getElementById(id);

/** An element; `props` are its attributes, functions among them its event handlers. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props))
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value);
  node.append(...children.filter((child) => child !== null));
  return node;
}

export const button = (text, click, props = {}) => el("button", { type: "button", click, ...props }, text);

/** A mark of the sprite in index.html, coloured by the nearest data-tone. */
export function mark(name) {
  const svg = document.createElementNS(SVG, "svg");
  const use = document.createElementNS(SVG, "use");
  set(svg, "class", "mark");
  set(svg, "viewBox", "0 0 16 16");
  set(svg, "aria-hidden", true);
  set(use, "href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Give `node` a tone, its first mark that shape, its first word that text. */
export function paint(node, { tone, mark, word }) {
  set(node, "data-tone", tone);
  set(node.querySelector("use"), "href", `#i-${mark}`);
  setText(node.querySelector(".word"), word);
}

// Writing what is there already would cost layout and, in live regions, be read out again.
export function set(node, name, value) {
  if (node.getAttribute(name) !== String(value)) node.setAttribute(name, value);
}

export function setText(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

export const say = (id, text) => setText(byId(id), text);

export function show(node, visible) {
  if (node.hidden === Boolean(visible)) node.hidden = !visible;
}

/**
 * Children of `parent`: one for each item, in order. Those that stay keep their elements, and with them
 * focus. `make(item)` returns {node, update(item)}; `known` maps `key(item)` to what it returned.
 */
export function arrange(parent, known, items, key, make) {
  const wanted = new Set(items.map(key));
  for (const [name, { node }] of known) {
    if (wanted.has(name)) continue;
    node.remove();
    known.delete(name);
  }
  const focused = document.activeElement;
  let place = parent.firstElementChild;
  for (const item of items) {
    if (!known.has(key(item))) known.set(key(item), make(item));
    const { node, update } = known.get(key(item));
    update(item);
    if (node === place) place = place.nextElementSibling;
    else parent.insertBefore(node, place);
  }
  if (document.activeElement !== focused && parent.contains(focused)) focused.focus({ preventScroll: true });
}

/** For screen readers: when they are done with what they are at, or at once. */
export const announce = (text) => say("announcer", text);
export const alarm = (text) => say("alarm", text);
