// Questions before anything is done, the releases of an App, and what helps one that is not well.

import { get, pathOf, post } from "./api.js";
import { retry, rollback } from "./asking.js";
import { announce, button, byId, el, mark, say, setText } from "./dom.js";
import { age, clock, failedOf, full, list, nameOf, namesOf, problemText, releaseLook, shortImage } from "./words.js";

const dialog = byId("dialog");
let opened = 0; // an answer for an earlier dialog is not shown in a later one
let on;

/** `handlers`: asked(path): it was sent; refused(error): true when it took care of the error. */
export function startDialogs(handlers) {
  on = handlers;
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => (opened += 1));
}

function open(title, body, ...buttons) {
  opened += 1;
  say("dialog-title", title);
  byId("dialog-body").replaceChildren(...body);
  say("dialog-problem", "");
  byId("dialog-buttons").replaceChildren(...buttons);
  if (!dialog.open) dialog.showModal();
  buttons[0].focus();
  return opened;
}

const closing = (text) => button(text, () => dialog.close());
const paragraphs = (...texts) => texts.map((text) => el("p", {}, text));

/** Fill the dialog `me` with what `make` makes of an answer, as long as it is there. */
async function fill(me, path, make) {
  try {
    const answer = await get(path);
    if (me === opened) byId("dialog-body").replaceChildren(...make(answer));
  } catch (error) {
    if (me === opened) tellProblem(error);
  }
}

function tellProblem(error) {
  if (on.refused(error)) return;
  say("dialog-problem", problemText(error));
}

/** Say what will happen; do it when that is wanted. */
export function confirmAsk(ask) {
  const doIt = ask.title.slice(0, -1);
  const yes = button(doIt, act, { class: "primary" });
  const me = open(ask.title, paragraphs(...ask.said), closing("Leave as it is"), yes);
  async function act() {
    yes.disabled = true;
    setText(yes, "Asking the agent …");
    say("dialog-problem", "");
    try {
      await post(ask.path, ask.body);
      announce(`The agent was asked: ${doIt}.`);
      if (me === opened) dialog.close();
    } catch (error) {
      if (me === opened) tellProblem(error);
    }
    yes.disabled = false;
    setText(yes, doIt);
    on.asked(ask.path);
  }
}

/** Releases that are remembered, newest first. */
export function showReleases(app) {
  const asking = paragraphs("Asking the agent which releases it remembers …");
  const me = open(`Releases of ${nameOf(app)}`, asking, closing("Close"));
  return fill(me, `${pathOf(nameOf(app))}/history`, ({ items }) => [
    items.length ? el("ul", {}, ...items.map((one) => makeRelease(app, one))) : "No release is remembered yet.",
  ]);
}

function makeRelease(app, revision) {
  const { release, state, why, images, created } = revision;
  const { tone, mark: shape, word } = releaseLook(revision);
  const [failed] = failedOf(app);
  const ask = release === failed ? retry(app) : rollback(app, revision);
  const may = ask && state !== "updating" && (state !== "serving" || failed);
  const facts = [list(images.map(shortImage)), `first wanted ${clock(created)} (${age(created)} ago)`];
  return el(
    "li", { class: "release", "data-tone": tone },
    el("div", {}, mark(shape), el("strong", {}, `Release ${release}`), el("span", { class: "word" }, word),
      may ? button(`${ask.verb} …`, () => confirmAsk(ask), { "aria-label": `${ask.verb} … release ${release}` }) : null),
    el("p", {}, why && full(why, namesOf(app))),
    el("p", { class: "note" }, facts.filter(Boolean).join(" · ")),
  );
}

/** Why an App is not as it should be, and what helps. */
export function showExplanation(app) {
  const again = retry(app);
  const more = again ? [button("Try again …", () => confirmAsk(again), { class: "primary" })] : [];
  const asking = paragraphs("Asking the agent what holds it back …");
  const me = open(`${nameOf(app)}: why, and what helps`, asking, closing("Close"), ...more);
  return fill(me, `${pathOf(nameOf(app))}/explain`, ({ sentence: text, commands }) => [
    ...paragraphs(full(text, namesOf(app)), commands.length ? "On the device, type:" : ""),
    ...commands.map((line) => el("code", { class: "block" }, line)),
  ]);
}
