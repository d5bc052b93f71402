// The Apps: a row each, with its services as tiles. Elements stay while what they show changes.

import { asksOfApp } from "./asking.js";
import { arrange, button, byId, el, mark, paint, say, set, setText, show } from "./dom.js";
import * as words from "./words.js";
import { inTrouble, isMoving, nameOf, readyText, serviceLook, servicesOf } from "./words.js";

const MANY = 6; // Apps beyond which a filter is worth its place
const STILL_MS = 10000; // no App changes its place so soon after somebody was at the list
const list = byId("app-list");
const filter = byId("filter");
const known = new Map();
let apps = [];
let order = [];
let touched = -STILL_MS;
let on;

/** `handlers`: openPanel(app, service, from), ask(ask), releases(app), explain(app), filtered(text). */
export function startApps(handlers) {
  on = handlers;
  filter.addEventListener("input", render);
  list.addEventListener("keydown", moveAmongTiles);
  for (const type of ["keydown", "pointermove", "pointerdown"])
    list.addEventListener(type, () => (touched = performance.now()), { passive: true });
}

export function showApps(found) {
  apps = found;
  render();
}

function render() {
  const text = filter.value.trim().toLowerCase();
  const said = (app) => [nameOf(app), app.status.state, ...servicesOf(app).flatMap(Object.values)].join(" ");
  const wanted = inOrder().filter((app) => said(app).toLowerCase().includes(text));
  show(filter, apps.length > MANY || text);
  show(byId("empty"), !apps.length);
  const few = wanted.length ? `${wanted.length} of ${apps.length} Apps.` : "No App fits.";
  say("apps-note", wanted.length === apps.length ? "" : few);
  arrange(list, known, wanted, nameOf, makeApp);
  on.filtered(text);
}

/** The worst first, then what moves; but nothing changes its place under somebody's hand. */
function inOrder() {
  const bad = apps.filter((app) => words.appLook(app).tone === "bad");
  const first = [...bad, ...apps.filter(inTrouble), ...apps.filter(isMoving)];
  if (performance.now() - touched > STILL_MS) order = first.map(nameOf);
  const place = (app) => (order.indexOf(nameOf(app)) + 1 || Infinity);
  return [...apps].sort((a, b) => Math.sign(place(a) - place(b)) || 0);
}

function makeApp(app) {
  const name = nameOf(app);
  const facts = el("span", { class: "facts" });
  const why = el("span");
  const explain = button("What helps?", () => on.explain(part.app), { "aria-label": `What helps ${name}?` });
  const whyLine = el("p", { class: "why" }, why, explain);
  const bar = el("div", { class: "bar", role: "progressbar", "aria-label": `Progress of ${name}` });
  const pieces = new Map();
  const named = { "aria-label": `Actions for ${name}` };
  const actions = el("div", { class: "actions", role: "group", ...named });
  const toggle = () => set(more, "aria-expanded", node.classList.toggle("open"));
  const more = button("⋯", toggle, { class: "more", "aria-expanded": false, ...named });
  const tiles = el("div", { class: "tiles", role: "toolbar", "aria-label": `Services of ${name}` });
  const title = el("h3", { tabindex: -1 }, name);
  const head = el("div", { class: "app-head" }, mark("off"), title, el("span", { class: "word" }), facts, more, actions);
  const node = el("li", { class: "app card" }, head, whyLine, bar, tiles);
  const buttons = new Map();
  const services = new Map();
  const part = { node, app, update };

  function update(app) {
    part.app = app;
    paint(node, words.appLook(app));
    setText(facts, [words.releaseText(app), readyText(app)].filter(Boolean).join(" · "));
    setText(why, words.whyText(app));
    show(whyLine, why.textContent);
    show(explain, inTrouble(app));
    showBar(bar, pieces, app);
    arrange(actions, buttons, actionsOf(app), (one) => one.verb, (one) => makeAction(part, one));
    arrange(tiles, services, servicesOf(app), (one) => one.name, (one) => makeTile(part, one));
    if (!tiles.querySelector("[tabindex='0']")) tiles.firstElementChild?.setAttribute("tabindex", 0);
  }
  return part;
}

function actionsOf(app) {
  const asks = asksOfApp(app).map((ask) => ({ verb: ask.verb, act: () => on.ask(ask) }));
  const logs = { verb: "Logs", act: (node) => on.openPanel(app, "", node) };
  return [...asks, logs, { verb: "Releases", act: () => on.releases(app) }];
}

function makeAction(part, { verb }) {
  const act = () => actionsOf(part.app).find((one) => one.verb === verb).act(node);
  const node = button(verb, act, { "aria-label": `${verb}: ${nameOf(part.app)}` });
  return { node, update() {} };
}

/** One piece a service, full when it is ready: nothing about the way there is made up. */
function showBar(bar, pieces, app) {
  const all = servicesOf(app);
  show(bar, ["Updating", "Undoing"].includes(app.status.state));
  set(bar, "aria-valuemax", all.length);
  set(bar, "aria-valuenow", all.filter((one) => one.ready).length);
  set(bar, "aria-valuetext", readyText(app));
  arrange(bar, pieces, all, (one) => one.name, makePiece);
}

function makePiece() {
  const fill = el("b");
  const node = el("i", {}, fill);
  return {
    node,
    update(service) {
      set(node, "data-tone", serviceLook(service).tone);
      fill.style.width = service.ready ? "100%" : pulledPart(service);
    },
  };
}

function pulledPart({ reason }) {
  const [, current, total] = /([\d.]+) of ([\d.]+) MB/.exec(reason) ?? [];
  return total > 0 ? `${Math.round((current / total) * 100)}%` : "0";
}

function makeTile(part, service) {
  const note = el("span", { class: "tile-note" });
  const piece = makePiece();
  const open = () => on.openPanel(part.app, service.name, node);
  const node = button("", open, { class: "tile", tabindex: -1 });
  const title = el("span", { class: "tile-name" }, service.name);
  node.append(mark("off"), title, el("span", { class: "word" }), note, piece.node);
  function update(next) {
    paint(node, serviceLook(next));
    setText(note, words.serviceText(next));
    show(piece.node, next.state === "Pulling");
    piece.update(next);
  }
  return { node, update };
}

/** Tab goes from App to App; inside one the arrows do. */
function moveAmongTiles(event) {
  const tile = event.target.closest(".tile");
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1, Home: -Infinity, End: Infinity }[event.key];
  if (!tile || !step || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  const all = [...tile.parentElement.children];
  const next = all[Math.min(Math.max(all.indexOf(tile) + step, 0), all.length - 1)];
  tile.tabIndex = -1;
  next.tabIndex = 0;
  next.focus();
}
