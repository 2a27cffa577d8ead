// The interface's description as a page, with forms to try it. Text is only ever set as text.
"use strict";

const make = (name, properties = {}, ...children) => {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
};

let description;

const resolve = (schema) => {
  if (!schema || !schema.$ref) return schema || {};
  return schema.$ref.slice(2).split("/").reduce((found, part) => found[part], description);
};

const typeOf = (schema) => {
  const found = resolve(schema);
  if (schema.$ref) return schema.$ref.split("/").pop();
  if (found.const !== undefined) return JSON.stringify(found.const);
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(" or ");
  const several = found.anyOf || found.oneOf;
  if (several) return several.map(typeOf).join(" or ");
  if (found.type === "array") return `list of ${typeOf(found.items || {})}`;
  return found.format === "binary" ? "file" : [found.type || "anything"].flat().join(" or ");
};

const table = (rows) => {
  const body = make("tbody");
  for (const [name, type, said] of rows) {
    body.append(make("tr", {}, make("td", {}, make("code", { textContent: name })),
      make("td", { textContent: type }), make("td", { textContent: said })));
  }
  return make("table", {}, body);
};

const fieldsOf = (schema) => {
  const found = resolve(schema);
  const kinds = found.oneOf || found.anyOf;
  if (kinds) return kinds.flatMap((kind) => [make("p", { textContent: typeOf(kind) }), ...fieldsOf(kind)]);
  if (!found.properties) return [];
  const needed = new Set(found.required || []);
  return [table(Object.entries(found.properties).map(([name, field]) => [
    name, typeOf(field), (needed.has(name) ? "Needed. " : "") + (field.description || ""),
  ]))];
};

const exampleOf = (content) => content.example === undefined ? "" : JSON.stringify(content.example, null, 2);

const inputFor = (name, schema) => {
  const found = resolve(schema);
  const items = found.type === "array" ? resolve(found.items) : found;
  const input = make("input", { name });
  if (items.format === "binary") Object.assign(input, { type: "file", multiple: found.type === "array" });
  return make("label", {}, `${name} `, input);
};

const filled = (form) => [...form.elements].filter((input) => input.name && input.value !== "");

const requestOf = (path, method, form, key) => {
  let address = path;
  const query = new URLSearchParams();
  const headers = key ? { Authorization: `Bearer ${key}` } : {};
  const options = { method: method.toUpperCase(), headers, credentials: "same-origin" };
  const parts = new FormData();
  for (const input of filled(form)) {
    const [where, name] = input.name.split(/:(.*)/s);
    if (where === "path") address = address.replace(`{${name}}`, encodeURIComponent(input.value));
    if (where === "query") query.append(name, input.value);
    if (where === "header") headers[name] = input.value;
    if (where === "form" && input.files) [...input.files].forEach((file) => parts.append(name, file));
    if (where === "form" && !input.files) parts.append(name, input.value);
    if (where === "body") {
      headers["Content-Type"] = form.elements.type.value;
      options.body = input.value;
    }
  }
  if (form.elements.type && form.elements.type.value === "multipart/form-data") options.body = parts;
  return [address + (query.size ? `?${query}` : ""), options];
};

const bodyInputs = (content, type) => {
  if (type !== "multipart/form-data") {
    return [make("label", {}, "Body ", make("textarea", { name: "body:", value: exampleOf(content[type]) }))];
  }
  return Object.entries(resolve(content[type].schema).properties)
    .map(([name, schema]) => inputFor(`form:${name}`, schema));
};

const send = async (event, path, method, answer) => {
  event.preventDefault();
  const key = document.getElementById("key").value.trim();
  answer.textContent = "…";
  try {
    const response = await fetch(...requestOf(path, method, event.target, key));
    const text = await response.text();
    let shown = text.slice(0, 100000);
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* no JSON: as it is */ }
    const headers = ["retry-after", "egide-verdict-id", "egide-entry-id", "x-request-id"]
      .filter((name) => response.headers.has(name)).map((name) => `${name}: ${response.headers.get(name)}`);
    answer.textContent = [`${response.status} ${response.statusText}`, ...headers, "", shown].join("\n");
  } catch (error) {
    answer.textContent = `No answer: ${error.message}`;
  }
};

const tryIt = (path, method, operation) => {
  const form = make("form");
  for (const parameter of operation.parameters || []) {
    form.append(inputFor(`${parameter.in}:${parameter.name}`, parameter.schema || {}));
  }
  const content = operation.requestBody?.content;
  if (content) {
    const types = Object.keys(content);
    const choice = make("select", { name: "type" }, ...types.map((type) => make("option", { textContent: type })));
    const place = make("div", {}, ...bodyInputs(content, types[0]));
    choice.addEventListener("change", () => place.replaceChildren(...bodyInputs(content, choice.value)));
    form.append(make("label", {}, "Content type ", choice), place);
  }
  const answer = make("pre", { textContent: "" });
  answer.setAttribute("aria-live", "polite");
  form.append(make("button", { textContent: "Send" }));
  form.addEventListener("submit", (event) => send(event, path, method, answer));
  return make("details", {}, make("summary", { textContent: "Try it" }), form, answer);
};

const section = (path, method, operation) => {
  const found = make("section", { id: operation.operationId });
  found.append(make("h3", {}, make("span", { className: "method", textContent: method.toUpperCase() }),
    make("code", { textContent: path })));
  for (const text of (operation.description || operation.summary || "").split("\n\n")) {
    found.append(make("p", { textContent: text }));
  }
  const rows = (operation.parameters || []).map((p) => [p.name, `${typeOf(p.schema || {})}, ${p.in}`,
    (p.required ? "Needed. " : "") + (p.description || "")]);
  if (rows.length) found.append(table(rows));
  for (const [type, content] of Object.entries(operation.requestBody?.content || {})) {
    found.append(make("h4", { textContent: type }), ...fieldsOf(content.schema));
    if (content.example !== undefined) found.append(make("pre", { textContent: exampleOf(content) }));
  }
  found.append(make("h4", { textContent: "Answers" }), table(Object.entries(operation.responses).map(
    ([status, answer]) => [status, Object.values(answer.content || {}).map((c) => typeOf(c.schema || {}))[0] || "",
      answer.description || ""])));
  found.append(tryIt(path, method, operation));
  return found;
};

const show = () => {
  const index = document.getElementById("index");
  const operations = document.getElementById("operations");
  document.getElementById("about").textContent = description.info.description;
  operations.replaceChildren();
  const groups = new Map();
  for (const [path, methods] of Object.entries(description.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const tag = (operation.tags || ["other"])[0];
      if (!groups.has(tag)) groups.set(tag, []);
      groups.get(tag).push([path, method, operation]);
    }
  }
  for (const [tag, entries] of groups) {
    index.append(make("h2", { textContent: tag }));
    for (const [path, method, operation] of entries) {
      index.append(make("a", { href: `#${operation.operationId}`, textContent: operation.summary || path }));
      operations.append(section(path, method, operation));
    }
  }
};

fetch("/openapi.json").then((answer) => answer.json()).then((found) => {
  description = found;
  show();
}).catch((error) => {
  document.getElementById("operations").textContent = `The description cannot be had: ${error.message}`;
});
