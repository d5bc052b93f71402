// Shows /openapi.json of this agent as a list that people can read. Loads nothing from elsewhere.
"use strict";

const METHODS = ["get", "head", "post", "put", "delete"];
const DEEPEST = 4;
const STORED = "iotistic-key"; // the dashboard keeps it there too
const byId = (id) => document.getElementById(id);
let description = null;

function element(name, content = [], attributes = {}) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  for (const one of [content].flat()) made.append(one);
  return made;
}

function headers() {
  const key = sessionStorage.getItem(STORED);
  return key ? { "X-API-Key": key } : {};
}

async function load() {
  const state = byId("state");
  let answer;
  try {
    answer = await fetch("/openapi.json", { headers: headers() });
  } catch {
    state.textContent = "The agent does not answer. Is it running? This page tries again when you press Use.";
    return;
  }
  if (!answer.ok) {
    const problem = await answer.json().catch(() => ({}));
    const asked = sessionStorage.getItem(STORED);
    state.textContent = answer.status === 401 && !asked
      ? "Enter the key of the device: it is in the file api-key in the agent's data directory."
      : `${problem.detail || answer.statusText}. ${problem.hint || ""}`;
    byId("key").focus();
    return;
  }
  description = await answer.json();
  byId("version").textContent = description.info.version;
  byId("about").textContent = description.info.description;
  show();
}

function show() {
  const groups = new Map(description.tags.map((tag) => [tag.name, []]));
  for (const [path, operations] of Object.entries(description.paths)) {
    for (const method of METHODS.filter((one) => one in operations)) {
      const group = operations[method].tags[0];
      if (!groups.has(group)) groups.set(group, []);
      groups.get(group).push(route(method, path, operations[method]));
    }
  }
  const about = Object.fromEntries(description.tags.map((tag) => [tag.name, tag.description]));
  const filled = [...groups].filter(([, routes]) => routes.length);
  byId("routes").replaceChildren(...filled.map(([name, routes]) =>
    element("section", [element("h2", `${name}: ${about[name] || ""}`), ...routes])));
  find();
}

function find() {
  const word = byId("find").value.toLowerCase();
  let shown = 0;
  for (const one of document.querySelectorAll("main > section > details")) {
    one.hidden = !one.dataset.words.includes(word);
    shown += one.hidden ? 0 : 1;
  }
  byId("state").textContent = `${shown} ${shown === 1 ? "route" : "routes"}. Open one to see what it takes and answers.`;
}

function route(method, path, operation) {
  const first = (operation.description || operation.summary).split("\n")[0];
  const head = element("summary", [
    element("span", method, { class: `method ${method}` }),
    element("span", path, { class: "path" }),
    element("span", first, { class: "hint" }),
  ]);
  const made = element("details", head);
  made.dataset.words = `${method} ${path} ${first}`.toLowerCase();
  made.addEventListener("toggle", () => {
    if (made.open && made.children.length === 1) made.append(element("div", inside(method, path, operation), { class: "body" }));
  });
  return made;
}

function inside(method, path, operation) {
  const parts = [];
  const parameters = operation.parameters || [];
  if (parameters.length) {
    parts.push(element("h3", "Parameters"), element("dl", parameters.flatMap((one) => [
      element("dt", one.name + (one.required ? "" : "?")),
      element("dd", [typeOf(one.schema), one.description ? `: ${one.description}` : "", ` (${one.in})`]),
    ])));
  }
  if (operation.requestBody) {
    parts.push(element("h3", "Body"));
    for (const [type, content] of Object.entries(operation.requestBody.content)) {
      parts.push(element("p", element("code", type)), fields(content.schema, 0));
    }
  }
  parts.push(element("h3", "Answers"), element("dl", Object.entries(operation.responses).flatMap(([code, answer]) => {
    const found = resolved(answer);
    const types = Object.entries(found.content || {});
    const shapes = code < "300" ? types.map(([, content]) => fields(content.schema || {}, 0)) : [];
    return [element("dt", code), element("dd", [`${found.description} `, element("code", types.map(([type]) => type).join(", ")), ...shapes])];
  })));
  parts.push(element("h3", "With curl"), element("pre", curl(method, path, operation)));
  if (method === "get") parts.push(trial(path, parameters));
  return parts;
}

function curl(method, path, operation) {
  const verb = method === "get" ? "" : method === "head" ? " -I" : ` -X ${method.toUpperCase()}`;
  const json = operation.requestBody && "application/json" in operation.requestBody.content;
  const body = json ? " --json '{...}'" : operation.requestBody ? " -T images.tar" : "";
  const key = operation.security && !operation.security.length ? "" : ' -H "X-API-Key: $KEY"';
  return `curl${verb}${key}${body} ${location.origin}${path}`;
}

function trial(path, parameters) {
  // A reader that follows would never end here.
  const asked = parameters.filter((one) => one.in !== "header" && one.name !== "follow");
  const inputs = asked.map((one) => element("input", [], { name: one.name, "data-in": one.in }));
  const output = element("pre");
  output.hidden = true;
  const form = element("form", [
    ...asked.map((one, number) => element("label", [`${one.name} `, inputs[number]])),
    element("button", "Ask the agent"),
  ]);
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    output.hidden = false;
    output.textContent = "Asking ...";
    let address = path;
    const query = new URLSearchParams();
    for (const input of inputs) {
      if (input.dataset.in === "path") address = address.replace(`{${input.name}}`, encodeURIComponent(input.value));
      else if (input.value) query.set(input.name, input.value);
    }
    try {
      const answer = await fetch(query.size ? `${address}?${query}` : address, { headers: headers() });
      const text = await answer.text();
      const isJson = (answer.headers.get("content-type") || "").includes("json") && !address.endsWith("/logs");
      output.textContent = `${answer.status}\n${isJson ? JSON.stringify(JSON.parse(text), null, 2) : text}`;
    } catch (error) {
      output.textContent = `No answer: ${error.message}`;
    }
  });
  return element("div", [form, output]);
}

function resolved(schema) {
  if (!schema.$ref) return schema;
  return schema.$ref.slice(2).split("/").reduce((found, name) => found[name], description);
}

function nameOf(schema) {
  return schema.$ref ? schema.$ref.split("/").pop() : "";
}

function typeOf(schema) {
  if (schema.$ref) return nameOf(schema);
  if (schema.enum) return schema.enum.map((one) => JSON.stringify(one)).join(" | ");
  if ("const" in schema) return JSON.stringify(schema.const);
  if (schema.anyOf) return schema.anyOf.map(typeOf).join(" | ");
  if (schema.type === "array") return `${typeOf(schema.items || {})}[]`;
  if (schema.type === "object" && schema.additionalProperties) return `{name: ${typeOf(schema.additionalProperties === true ? {} : schema.additionalProperties)}}`;
  return [schema.type || "anything", schema.format ? `(${schema.format})` : ""].join(" ").trim();
}

function nested(schema) {
  const parts = [schema, ...(schema.anyOf || [])].map((one) => one.items || one.additionalProperties || one);
  return parts.filter((one) => (one.$ref || one.properties) && resolved(one).properties);
}

function fields(schema, depth) {
  const whole = resolved(schema);
  if (!whole.properties) {
    const inner = depth < DEEPEST ? nested(whole).map((one) => fields(one, depth + 1)) : [];
    return element("div", [element("code", typeOf(schema)), ...inner]);
  }
  const required = new Set(whole.required || []);
  const rows = Object.entries(whole.properties).flatMap(([name, one]) => {
    const about = one.description || "";
    const more = depth < DEEPEST ? nested(one).map((inner) => {
      const made = element("details", element("summary", nameOf(inner) || "fields"));
      made.addEventListener("toggle", () => {
        if (made.open && made.children.length === 1) made.append(fields(inner, depth + 1));
      });
      return made;
    }) : [];
    return [element("dt", name + (required.has(name) ? "" : "?")), element("dd", [element("code", typeOf(one)), about ? ` ${about}` : "", ...more])];
  });
  return element("dl", rows);
}

byId("access").addEventListener("submit", (event) => {
  event.preventDefault();
  const key = byId("key").value.trim();
  if (key) sessionStorage.setItem(STORED, key);
  byId("key").value = "";
  load();
});
byId("find").addEventListener("input", () => description && find());
load();
