// What happened, newest first, and the connection that it comes over.

import { events, get } from "./api.js";
import { alarm, byId, el, mark, say, show } from "./dom.js";
import { clock, full, sentence } from "./words.js";

const MOST = 300;
const LONGEST_WAIT = 30; // seconds
const QUIET = ["Locked", "Unlocked"]; // of every update, and of interest to nobody who reads along
const STEADY_MS = 5000; // what lasts that long may break off once without a word
const list = byId("event-list");
let kept = [];
let filter = "";

/**
 * Follow what happens until `signal` ends it; what breaks off is taken up, at once and then after pauses
 * that double.
 *
 * @param on up(): connected, also again; event(one); lost(retrySeconds): not connected, 0 is trying now;
 *   refused(error): the agent does not let us in, nothing more comes.
 */
export async function live(signal, on) {
  let wait = 0;
  while (!signal.aborted) {
    const began = performance.now();
    try {
      const { items } = await get("v1/events");
      if (signal.aborted) return;
      takeAll(items);
      on.up();
      let last = items.at(-1)?.seq ?? 0;
      for await (const event of events(last, signal)) {
        if (event.seq <= last) break; // another start of the agent: its list is read again
        last = event.seq;
        if (event.type === "Progress") continue; // shows at the next look, which is soon enough
        take(event);
        on.event(event);
      }
    } catch (error) {
      if (signal.aborted || on.refused(error)) return;
      if (error.constructor !== Error) console.error(error); // of this page, not of the connection
    }
    if (performance.now() - began > STEADY_MS) wait = 0;
    for (let left = wait; left > 0 && !signal.aborted; left -= 1) {
      on.lost(left);
      await new Promise((done) => setTimeout(done, 1000));
    }
    if (wait && !signal.aborted) on.lost(0);
    wait = Math.min(wait * 2 || 1, LONGEST_WAIT);
  }
}

/** Only those that have this in them, in small letters. */
export function filterEvents(text) {
  if (text === filter) return;
  filter = text;
  for (const { event, node } of kept) show(node, fits(event));
  tell();
}

const fits = ({ app, service, message }) => `${app} ${service} ${message}`.toLowerCase().includes(filter);

function takeAll(items) {
  list.replaceChildren();
  kept = [];
  for (const event of items.slice(-MOST)) add(event);
  tell();
}

function take(event) {
  add(event);
  tell();
  if (event.type === "Warning") alarm(event.message);
}

function add(event) {
  if (QUIET.includes(event.reason)) return;
  const warning = event.type === "Warning";
  const { hint } = event.data;
  const text = el("span", { class: "said" }, sentence(event.message, [event.app, event.service]));
  if (hint) text.append(el("span", { class: "hint" }, ` ${full(hint)}`));
  const time = el("time", { datetime: event.time, title: event.time }, clock(event.time));
  const node = el("li", { "data-tone": warning ? "warn" : "off" }, time, mark(warning ? "alert" : "dot"), text);
  show(node, fits(event));
  list.prepend(node);
  kept.push({ event, node });
  if (kept.length > MOST) kept.shift().node.remove();
}

function tell() {
  const visible = kept.some(({ node }) => !node.hidden);
  const nothing = kept.length ? "No event fits." : "Nothing has happened since the agent started.";
  say("events-note", visible ? "" : nothing);
}
