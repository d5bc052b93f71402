// What may be asked of Apps and services, and what will happen then, said before it happens. Pure.

import { pathOf } from "./api.js";
import { failedOf, list, nameOf, servicesOf, shortImage } from "./words.js";

const LEFT_ALONE = ["Deleting", "Orphaned", "Held"];
const VOLUMES = "Data in volumes stays.";
const OTHERS = "Other services stay as they are.";

const named = (app, fits) => servicesOf(app).filter(fits).map((one) => one.name);
const running = (app) => named(app, (one) => one.runState === "Running");
const verb = (who, one, more) => `${list(who)} ${who.length === 1 ? one : more}`;

// What its button says, where it is sent, the question, what will happen.
const ask = (verb, path, title, said, body) => ({ verb, path, title, said: said.filter(Boolean), body });

function silent(app, who) {
  const ports = app.spec.services.filter((one) => who.includes(one.name)).flatMap((one) => one.ports ?? []);
  const published = ports.flatMap((port) => port.hostPort ?? []);
  return published.length ? `Nothing answers on port ${list(published)} meanwhile.` : "";
}

const start = (who, what, path, more) =>
  ask("Start", `${path}/start`, `Start ${what}?`, [`${verb(who, "runs", "run")} again. ${more}`]);

const restart = (app, who, what, path, more) =>
  ask("Restart", `${path}/restart`, `Restart ${what}?`, [
    `${verb(who, "is", "are")} restarted, and away until up again. ${more}`,
    silent(app, who),
    `Nothing is downloaded. ${VOLUMES}`,
  ]);

const stop = (app, who, what, path, more) =>
  ask("Stop", `${path}/stop`, `Stop ${what}?`, [
    `${verb(who, "is stopped and stays", "are stopped and stay")} stopped, also over reboots and new releases, until started again.`,
    more,
    silent(app, who),
    VOLUMES,
  ]);

/** What may be asked of an App now. */
export function asksOfApp(app) {
  if (LEFT_ALONE.includes(app.status.state)) return [];
  const [name, path, who] = [nameOf(app), pathOf(nameOf(app)), running(app)];
  const resting = named(app, (one) => one.runState !== "Running");
  const asks = [retry(app)];
  if (resting.length) asks.push(start(resting, name, path, "What depends on another service waits for that one."));
  if (who.length) asks.push(restart(app, who, name, path, "What others depend on comes first."), stop(app, who, name, path));
  return asks.filter(Boolean);
}

/** What may be asked of one service. */
export function asksOfService(app, { name, runState }) {
  if (LEFT_ALONE.includes(app.status.state)) return [];
  const what = `${name} of ${nameOf(app)}`;
  const path = pathOf(nameOf(app), name);
  if (runState !== "Running") return [start([name], what, path, OTHERS)];
  const needing = app.spec.services.filter((one) => one.dependsOn && name in one.dependsOn).map((one) => one.name);
  const without = `${verb(needing, "depends on it and goes", "depend on it and go")} on without it.`;
  return [restart(app, [name], what, path, OTHERS), stop(app, [name], what, path, needing.length ? without : "")];
}

/** null when nothing has failed and waits. */
export function retry(app) {
  const { state, release } = app.status;
  const [failed] = failedOf(app);
  const [name, path] = [nameOf(app), `${pathOf(nameOf(app))}/retry`];
  if (failed && (state === "Undone" || state === "Failed")) {
    const { progressDeadlineSeconds: seconds = 300, autoUndo = true } = app.spec.update ?? {};
    return ask("Try again", path, `Try release ${failed} of ${name} again?`, [
      `Release ${failed} is brought in again. Services that differ from it are replaced, and away meanwhile.`,
      `It has ${seconds} s to get ready${state === "Undone" && autoUndo ? `, else release ${release} comes back` : ""}.`,
    ]);
  }
  const who = named(app, (one) => one.state === "CrashLoop" || one.state === "Failed");
  const now = `${verb(who, "is", "are")} tried again now, without waiting for the pause to end.`;
  return who.length ? ask("Try again", path, `Try ${name} again?`, [now]) : null;
}

/** Wanting a release that is remembered. */
export function rollback(app, { release, state, why, images }) {
  const now = servicesOf(app).map((one) => shortImage(one.image));
  const other = images.map(shortImage).filter((image) => !now.includes(image));
  const replaced = `Services that differ from it are replaced, and away meanwhile; the others stay. ${VOLUMES}`;
  return ask("Switch", `${pathOf(nameOf(app))}/rollback`, `Switch ${nameOf(app)} to release ${release}?`, [
    `Release ${release} is wanted from now on${other.length ? `, with ${list(other)}` : ""}.`,
    state === "quarantined" ? `It was undone before: ${why}.` : "",
    state === "serving" ? "It serves already: nothing is replaced." : replaced,
  ], { release });
}
