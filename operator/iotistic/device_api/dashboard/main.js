// The page as a whole: lets in, looks at the Apps when something happens, says how the device is.

import { ailments, pathOf, get, hasKey, setKey } from "./api.js";
import { showApps, startApps } from "./apps.js";
import { confirmAsk, showExplanation, showReleases, startDialogs } from "./dialogs.js";
import { alarm, announce, byId, paint, say, set, show } from "./dom.js";
import { filterEvents, live } from "./events.js";
import { closePanel, openPanel, startPanel, updatePanel } from "./panel.js";
import { full, health, isMoving, nameOf, problemText, sentence } from "./words.js";

const GATHER_MS = 200; // events that come together are one look
const MOVING_MS = 2000; // what probes and pauses change comes without an event
const SETTLED_MS = 30000;
const FEW = 5; // Apps that are asked for one by one
const device = { apps: null, ailments: [], lost: null, retrySeconds: 0 };
const dirty = new Set(); // Apps to look at; "" is all
let name = location.hostname;
let streaming = new AbortController();
let timer = 0;
let moving = 0;
let looking = false;
let told = "";

// Looking at the Apps

function touch(app) {
  dirty.add(app);
  timer ||= setTimeout(look, GATHER_MS);
}

/** One look after the other: an older answer must not be shown after a newer one. */
async function look() {
  timer = looking ? setTimeout(look, GATHER_MS) : 0;
  if (looking) return;
  looking = true;
  const names = [...dirty];
  dirty.clear();
  const all = names.length > FEW || names.includes("") || !device.apps;
  const found = await (all ? lookAtAll() : lookAt(names)).catch(refused);
  looking = false;
  if (byId("device").hidden) return;
  if (!found) return; // the agent does not answer: the stream of events tells that
  device.apps = found;
  clearTimeout(moving);
  moving = setTimeout(() => document.hidden || found.filter(isMoving).map(nameOf).forEach(touch), MOVING_MS);
  showApps(found);
  updatePanel(found);
  showHealth();
}

async function lookAtAll() {
  const [{ items }, reasons] = await Promise.all([get("v1/apps"), ailments()]);
  device.ailments = reasons;
  return items;
}

async function lookAt(names) {
  const found = await Promise.all(names.map((one) => get(pathOf(one)).catch(nothing)));
  const others = device.apps.filter((app) => !names.includes(nameOf(app)));
  return [...others, ...found.filter(Boolean)].sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

function nothing(error) {
  if (error.status !== 404) throw error;
}

function showHealth() {
  const look = health(device);
  const { tone, word, why } = look;
  paint(byId("health"), look);
  say("health-why", why);
  show(byId("try-now"), device.lost);
  document.body.classList.toggle("stale", device.lost !== null);
  document.title = `${word}: ${name}`;
  const state = `${word}. ${tone === "busy" ? "" : why}`;
  if (device.lost || state === told) return;
  if (told) announce(state);
  told = state;
}

// The connection

function begin() {
  streaming.abort();
  streaming = new AbortController();
  live(streaming.signal, { up, event: ({ app }) => touch(app), lost, refused });
}

function up() {
  touch("");
  describe();
  if (!device.lost) return;
  device.lost = null;
  announce("Connected again.");
  showHealth();
}

function lost(seconds) {
  if (!device.lost) alarm("The connection to the device is lost.");
  device.lost ??= new Date();
  device.retrySeconds = seconds;
  showHealth();
}

async function describe() {
  show(byId("forget"), hasKey());
  try {
    const [{ version, engine }, { deviceName }] = await Promise.all([get("v1/version"), get("v1/device")]);
    name = deviceName || name;
    const runs = engine.error || sentence(`${engine.kind} ${engine.version}`);
    say("about", `${runs} · Iotistic Edge ${version}`);
    say("name", name);
    showHealth();
  } catch (error) {
    refused(error);
  }
}

// The key

/** True when the agent does not let us in: then it is asked for. */
function refused(error) {
  if (![401, 403, 429].includes(error.status)) return false;
  let text = problemText(error);
  if (error.status === 401) text = hasKey() ? "This is not the key of this device." : "";
  setKey("");
  streaming.abort();
  clearTimeout(moving);
  closePanel();
  byId("dialog").close();
  show(byId("device"), false);
  show(byId("login"), true);
  document.title = "Key: Iotistic Edge";
  problem(text);
  return true;
}

function problem(text) {
  say("login-problem", text);
  set(byId("key"), "aria-invalid", text !== "");
  byId("key").select();
  byId("key").focus();
}

async function logIn(submitted) {
  submitted.preventDefault();
  const key = byId("key").value.trim();
  if (!/^[\x21-\x7e]+$/.test(key)) return problem("A key is one word of plain letters, digits and signs.");
  say("login-problem", "Asking the agent …");
  setKey(key);
  try {
    await get("v1/apps");
  } catch (error) {
    if (refused(error)) return;
    setKey("");
    return problem(`${full(error.message)} Is it running?`);
  }
  problem("");
  byId("key").value = "";
  show(byId("login"), false);
  show(byId("device"), true);
  begin();
}

// Putting it together

startApps({ openPanel, ask: confirmAsk, releases: showReleases, explain: showExplanation, filtered: filterEvents });
startPanel(confirmAsk);
startDialogs({ asked: (path) => touch(decodeURIComponent(path.split("/")[2])), refused });
byId("login-form").addEventListener("submit", logIn);
byId("try-now").addEventListener("click", begin);
byId("forget").addEventListener("click", () => {
  setKey("");
  location.reload();
});
addEventListener("keydown", (pressed) => {
  const typing = pressed.target.matches("input, select");
  if (byId("dialog").open) return;
  if (pressed.key === "Escape" && !typing) closePanel();
  if (pressed.key !== "/" || typing || byId("filter").hidden) return;
  pressed.preventDefault();
  byId("filter").focus();
});
// A hidden tab gives its connection back: browsers allow six to one device, for all tabs together.
document.addEventListener("visibilitychange", () => {
  if (byId("device").hidden) return;
  if (document.hidden) streaming.abort();
  else begin();
});

say("login-title", name);
say("name", name);
say("empty-remote", `iotctl --url ${location.origin} apply -f hello.yaml`);
begin();
setInterval(() => byId("device").hidden || touch(""), SETTLED_MS);
