// What resources mean, in words, marks and tones. Pure.

// State of an App, a service or a release -> tone and mark. Its word is the state itself: `Crash loop`.
const LOOKS = {
  Ready: "good check",
  Completed: "good done",
  Stopped: "off stop",
  Paused: "off pause",
  Held: "off pause",
  Deleting: "off cross",
  Updating: "busy turn",
  Pulling: "busy down",
  Waiting: "busy clock",
  Undoing: "warn back",
  Undone: "warn back",
  Orphaned: "warn question",
  Restarting: "warn alert",
  CrashLoop: "bad alert",
  Degraded: "bad alert",
  Failed: "bad alert",
  Unhealthy: "bad alert",
  Exited: "bad alert",
  Dead: "bad alert",
  Stalled: "bad block",
  serving: "good check",
  failed: "bad alert",
  updating: "busy turn",
  good: "off done",
  quarantined: "warn back",
  superseded: "off off",
};
const WEB_PORTS = [80, 3000, 5000, 8000, 8080, 8888];

function look(state = "not seen yet", otherwise = "off question") {
  const [tone, mark] = (LOOKS[state] ?? otherwise).split(" ");
  const words = state.replace(/(?<=[a-z])[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
  return { tone, mark, word: words.charAt(0).toUpperCase() + words.slice(1) };
}

export const nameOf = (app) => app.metadata.name;
export const servicesOf = (app) => app.status.services;
export const namesOf = (app) => [nameOf(app), ...servicesOf(app).map((one) => one.name)];
export const appLook = (app) => look(app.status.state || undefined);
export const goneLook = { tone: "off", mark: "off", word: "Gone" };
export const releaseLook = ({ state }) => look(state);
export const serviceLook = ({ state, ready }) => look(ready && state === "Running" ? "Ready" : state, "busy turn");
export const inTrouble = (app) => ["bad", "warn"].includes(appLook(app).tone);
export const isMoving = (app) =>
  ["Updating", "Undoing", "Deleting"].includes(app.status.state) || servicesOf(app).some((one) => !one.ready);

/** `db, api and web`. */
export const list = (words) =>
  words.length < 2 ? words.join("") : `${words.slice(0, -1).join(", ")} and ${words.at(-1)}`;
export const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;

/** `web:2` for `docker.io/library/web:2`: as people write it. */
export const shortImage = (image = "") =>
  image.replace(/^(docker\.io\/)?(library\/)?/, "").replace(/(@sha256:.{12}).*/, "$1").replace(/:latest$/, "");

/** With a capital, unless it begins with one of `names` or a command; with arrows, and times as `clock`. */
export function sentence(text, names = []) {
  const said = text.replaceAll(" -> ", " → ").replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (moment) => clock(moment));
  return ["iotctl", ...names].includes(said.split(/[\s:/]/)[0]) ? said : said.charAt(0).toUpperCase() + said.slice(1);
}

/** With a full stop too, unless it is a command. */
export const full = (text, names) => sentence(text, names).replace(/^(?!iotctl ).*[^.!?]$/s, "$&.");

/** An error, and what to do now. */
export const problemText = ({ message, hint = "" }) => `${full(message)} ${full(hint)}`;

/** Which release runs, and which one comes: `release 1 → 2`. */
export function releaseText(app) {
  const wanted = app.status.release;
  const others = new Set(servicesOf(app).map((one) => one.release).filter((one) => one && one !== wanted));
  return wanted ? `release ${[...others, wanted].join(" → ")}` : "";
}

export function readyText(app) {
  const all = servicesOf(app);
  const ready = all.filter((one) => one.ready).length;
  return ready === all.length ? count(ready, "service") : `${ready} of ${count(all.length, "service")} ready`;
}

/** The release that has failed, and why, where the sentence of the status says so. */
export const failedOf = (app) => /^release (\S+): ([^]*)$/.exec(app.status.why)?.slice(1) ?? [];

/** Why an App is as it is; empty when there is nothing to say. */
export function whyText(app) {
  const { state, why, release } = app.status;
  const [failed, reason] = failedOf(app);
  let text = why;
  if (failed && state === "Undone") text = `release ${failed} was undone: ${reason}. Release ${release} serves.`;
  if (failed && state === "Failed") text = `release ${failed} has failed: ${reason}.`;
  return sentence(text, namesOf(app));
}

/** Of a service: why it is not ready; else what runs. */
export const serviceText = ({ ready, reason, image }) => (ready ? shortImage(image) : /^pulling (.*)/.exec(reason)?.[1] ?? sentence(reason));

/** Time since a moment: `12 s`, `5 m`, `3 h`, `2 d`. */
export function age(moment) {
  const seconds = Math.max((Date.now() - Date.parse(moment)) / 1000, 0);
  const [unit, size] = [["s", 1, 120], ["m", 60, 7200], ["h", 3600, 172800], ["d", 86400, Infinity]]
    .find(([, , limit]) => seconds < limit) ?? [];
  return unit ? `${Math.round(seconds / size)} ${unit}` : "";
}

/** `14:02`, of another day `Mar 4, 14:02`, by the clock of whoever looks. */
export function clock(moment, seconds) {
  const then = new Date(moment);
  if (Number.isNaN(then.getTime())) return "";
  const time = then.toTimeString().slice(0, seconds ? 8 : 5);
  if (seconds || then.toDateString() === new Date().toDateString()) return time;
  return `${then.toLocaleDateString("en", { month: "short", day: "numeric" })}, ${time}`;
}

/** `8080->80/tcp` as text, with the address where HTTP is likely. */
export function address(port, host) {
  const [, published, inside, protocol] = /(\d+)->(\d+)\/(\w+)$/.exec(port) ?? [];
  const web = protocol === "tcp" && WEB_PORTS.includes(Number(inside));
  return { text: port.replace("->", " → ").replace("/tcp", ""), href: web ? `http://${host}:${published}/` : "" };
}

/** The device in one word, and why. */
export function health({ apps, ailments, lost, retrySeconds }) {
  const say = (tone, mark, word, why) => ({ tone, mark, word, why });
  if (lost) {
    const again = retrySeconds > 0 ? `Trying again in ${retrySeconds} s.` : "Trying again now …";
    const shown = apps ? " What is shown is from then." : "";
    return say("bad", "off", "Connection lost", `since ${clock(lost)}.${shown} ${again}`);
  }
  if (!apps) return say("off", "clock", "Looking", "Asking the agent for its Apps …");
  if (ailments.length) return say("bad", "alert", "Trouble", full(ailments.join("; ")));
  const troubled = apps.filter(inTrouble);
  const worst = troubled.find((app) => appLook(app).tone === "bad") ?? troubled[0];
  if (worst) {
    const { tone, word } = appLook(worst);
    const more = troubled.length > 1 ? ` (and ${count(troubled.length - 1, "more App")})` : "";
    return say(tone, "alert", "Needs attention", `${nameOf(worst)}: ${whyText(worst) || word}${more}`);
  }
  const moving = apps.find(isMoving);
  if (moving) return say("busy", "turn", appLook(moving).word, `${nameOf(moving)}: ${whyText(moving) || readyText(moving)}`);
  const all = `${count(apps.length, "App")} with ${count(apps.flatMap(servicesOf).length, "service")}, all as wanted.`;
  return say("good", "check", "Well", apps.length ? all : "No App yet.");
}
