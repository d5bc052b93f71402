// The Device API: requests, errors as sentences, streams that end when they fall silent.

const ROOT = new URL("../", import.meta.url);
const ANSWER_MS = 30000;
const AGAIN_MS = 300; // what broke off is asked for again, once; see start.js
const SILENCE_MS = 40000; // on an event stream the agent says something every 15 s
const STORED = "iotistic-key";
let key = sessionStorage.getItem(STORED) ?? "";

export const hasKey = () => key !== "";

export function setKey(text) {
  key = text;
  sessionStorage.setItem(STORED, text);
}

export const pathOf = (app, service) =>
  `v1/apps/${encodeURIComponent(app)}${service ? `/services/${encodeURIComponent(service)}` : ""}`;
export const get = async (path) => (await request("GET", path)).json();
export const post = (path, body) => request("POST", path, { body });

/** Why the agent does not do its job; empty when it does. */
export async function ailments() {
  try {
    await request("GET", "v1/healthy");
    return [];
  } catch (error) {
    if (!error.status) throw error;
    return error.message.split("\n").filter((line) => line && line !== "Unhealthy");
  }
}

/** Lines of an answer as they come, until `signal` ends it. */
export async function* lines(path, signal, { headers = {}, silence = 0 } = {}) {
  const cut = new AbortController();
  const end = () => cut.abort();
  let watchdog;
  const heard = () => {
    clearTimeout(watchdog);
    if (silence) watchdog = setTimeout(end, silence);
  };
  signal.addEventListener("abort", end);
  heard();
  try {
    const answer = await request("GET", path, { headers, signal: cut.signal });
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      heard();
      const parts = (rest + value).split("\n");
      rest = parts.pop();
      yield* parts;
    }
  } catch (error) {
    throw error.status ? error : new Error("the connection broke off");
  } finally {
    clearTimeout(watchdog);
    signal.removeEventListener("abort", end);
    end();
  }
}

/** Events with a greater `seq` than `last`: the kept ones first, then new ones as they happen. */
export async function* events(last, signal) {
  const how = { headers: { "Last-Event-ID": String(last) }, silence: SILENCE_MS };
  for await (const line of lines("v1/events?follow=true", signal, how))
    if (line.startsWith("data:")) yield JSON.parse(line.slice(5));
}

/** Throws an error with `status` and `hint` when the agent says no, without when it does not answer. */
async function request(method, path, { body, headers = {}, signal = AbortSignal.timeout(ANSWER_MS) } = {}) {
  const options = { method, signal, headers: { ...headers }, cache: "no-store", redirect: "error" };
  if (key) options.headers["X-API-Key"] = key;
  if (body) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  const url = new URL(path, ROOT);
  const again = () => new Promise((done) => setTimeout(done, AGAIN_MS)).then(() => fetch(url, options));
  const answer = await fetch(url, options).catch(method === "GET" && again).catch((error) => {
    const late = error.name === "TimeoutError";
    throw new Error(late ? "the agent has not answered for 30 s" : "the agent does not answer");
  });
  if (answer.ok) return answer;
  const isJson = answer.headers.get("Content-Type")?.includes("json");
  const { detail, hint = "" } = isJson ? await answer.json() : { detail: await answer.text() };
  throw Object.assign(new Error(detail), { status: answer.status, hint });
}
