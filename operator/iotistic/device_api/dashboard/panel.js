// The panel below: one service, or all of an App, with the log as it is written.

import { lines, pathOf } from "./api.js";
import { asksOfService } from "./asking.js";
import { arrange, button, byId, el, paint, say, set, show } from "./dom.js";
import * as words from "./words.js";
import { clock, count, nameOf, sentence, servicesOf } from "./words.js";

const MOST = 3000; // lines kept on the page
const NEAR_END = 40; // pixels
const AGAIN_MS = 1000;
// Colours and cursor movements of terminals mean nothing here.
const TERMINAL = /\x1b(\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|[@-Z\\-_])|\r$/g;
const panel = byId("panel");
const log = byId("log");
const tail = byId("tail");
const buttons = new Map();
let open = null; // {app, service, from}: names, and the element that focus goes back to
let reading = new AbortController();
let waiting = []; // lines that are not shown yet
let had = []; // the last lines that came: what broke off tells them again
let paused = ""; // "scrolled": until the end is in sight again; "asked": until asked again
let state = ""; // what is so with the stream; empty while it runs
let frame = 0;
let ask;

export function startPanel(asking) {
  ask = asking;
  byId("panel-close").addEventListener("click", closePanel);
  byId("follow").addEventListener("click", () => pause(paused ? "" : "asked"));
  tail.addEventListener("change", read);
  log.addEventListener("scroll", () => {
    const atEnd = log.scrollHeight - log.scrollTop - log.clientHeight < NEAR_END;
    if (!paused && !atEnd && !frame) pause("scrolled");
    if (paused === "scrolled" && atEnd) pause("");
  });
}

/** `service` empty: all of the App. `from`: where focus goes when it is closed. */
export function openPanel(app, service, from) {
  open = { app: nameOf(app), service, from };
  document.documentElement.classList.add("with-panel");
  show(panel, true);
  updatePanel([app]);
  from.scrollIntoView({ block: "nearest" });
  byId("panel-title").focus({ preventScroll: true });
  read();
}

export function closePanel() {
  if (!open) return;
  reading.abort();
  const { from } = open;
  open = null;
  show(panel, false);
  document.documentElement.classList.remove("with-panel");
  (from.isConnected ? from : byId("apps-title")).focus();
}

/** The same, as it is now. */
export function updatePanel(apps) {
  if (!open) return;
  const app = apps.find((one) => nameOf(one) === open.app);
  const service = app && servicesOf(app).find((one) => one.name === open.service);
  let [look, why, facts, asks] = [words.goneLook, "It is not on this device any more.", [], []];
  if (service) {
    look = words.serviceLook(service);
    why = service.ready ? "" : sentence(service.reason);
    facts = factsOf(service);
    asks = asksOfService(app, service);
  } else if (app && !open.service) {
    look = words.appLook(app);
    why = words.whyText(app);
    facts = [["App", `${words.releaseText(app)} · ${words.readyText(app)}`]];
  }
  paint(panel, look);
  say("panel-title", open.service ? `${open.app} / ${open.service}` : open.app);
  say("panel-why", why);
  const said = facts.filter(([, value]) => value).map(([title, ...values]) =>
    el("div", {}, el("dt", {}, title), el("dd", {}, ...values.map(makeValue))));
  const shown = byId("panel-facts");
  if (shown.textContent !== said.map((one) => one.textContent).join("")) shown.replaceChildren(...said);
  arrange(byId("panel-actions"), buttons, asks, (one) => one.verb, (one) => {
    const part = { node: button(one.verb, () => ask(part.ask)), update: (next) => (part.ask = next) };
    return part;
  });
}

function factsOf({ image, release, since, restarts, exitCode, ports }) {
  return [
    ["Image", words.shortImage(image)],
    ["Release", release],
    ["Since", since && `${clock(since)} (${words.age(since)})`],
    ["Restarts", restarts && String(restarts)],
    ["Last exit", exitCode === undefined ? "" : `code ${exitCode}`],
    ["Ports", ...ports.map((port) => words.address(port, location.hostname))],
  ];
}

function makeValue(value) {
  if (!value.href) return el("span", {}, value.text ?? value);
  return el("a", { href: value.href, target: "_blank", rel: "noopener noreferrer" }, value.text);
}

function read() {
  reading.abort();
  reading = new AbortController();
  log.replaceChildren();
  waiting = [];
  had = [];
  set(log, "data-many", open.service === "");
  pause("");
  tell(`Asking for the last ${tail.value} lines …`);
  follow(reading.signal);
}

async function follow(signal) {
  const path = `${pathOf(open.app, open.service)}/logs?follow=true&tail=${tail.value}`;
  const silent = setTimeout(() => tell(""), 1500); // by then nothing has been written
  const before = new Set(had);
  let refused;
  try {
    for await (const line of lines(path, signal)) if (line && !before.has(line)) take(line);
  } catch (error) {
    refused = error.status && words.problemText(error);
  }
  clearTimeout(silent);
  if (signal.aborted) return;
  tell(refused || "The log broke off; it goes on when the agent answers.");
  if (!refused) setTimeout(() => signal.aborted || follow(signal), AGAIN_MS);
}

function take(text) {
  const line = JSON.parse(text);
  had = [...had.slice(-tail.value), text];
  waiting.push(line);
  if (waiting.length > MOST) waiting.shift();
  state = "";
  if (paused) tell(state);
  else frame ||= requestAnimationFrame(write);
}

function write() {
  log.append(...waiting.splice(0).map(makeLine));
  while (log.childElementCount > MOST) log.firstElementChild.remove();
  log.scrollTop = log.scrollHeight;
  tell(state);
  frame = requestAnimationFrame(() => { // our own scrolling is told before that
    frame = waiting.length && !paused ? requestAnimationFrame(write) : 0;
  });
}

function makeLine({ service, time, stream, text }) {
  const when = el("time", { datetime: time }, clock(time, true));
  return el("div", { class: "line", "data-stream": stream }, when, el("b", {}, service), el("span", {}, text.replace(TERMINAL, "")));
}

function pause(how) {
  paused = how;
  say("follow", paused ? "Go on" : "Pause");
  if (!paused) write();
  tell(state);
}

function tell(now) {
  state = now;
  const runs = log.childElementCount ? "New lines show as they are written." : "Nothing has been written yet.";
  const held = waiting.length ? `Paused: ${count(waiting.length, "newer line")} not shown.` : "Paused.";
  say("log-note", paused ? held : state || runs);
}
