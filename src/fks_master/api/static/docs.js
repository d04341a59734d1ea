// Draws openapi.json. Every text is set as text, never as markup.
const element = (name, text, kind) => {
  const made = document.createElement(name);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};

const resolved = (schema, all, depth = 0) => {
  if (!schema || typeof schema !== "object" || depth > 6) return schema;
  if (schema.$ref) return resolved(all[schema.$ref.split("/").pop()], all, depth + 1);
  if (Array.isArray(schema)) return schema.map((one) => resolved(one, all, depth + 1));
  return Object.fromEntries(Object.entries(schema).map(([key, value]) => [key, resolved(value, all, depth + 1)]));
};

const schemaOf = (content, all) => {
  const [kind, body] = Object.entries(content ?? {})[0] ?? [];
  return kind ? [kind, JSON.stringify(resolved(body.schema, all), null, 2)] : null;
};

function operation(method, path, what, all) {
  const box = element("details");
  const head = element("summary");
  head.append(element("span", method.toUpperCase(), "method"), element("code", path), element("span", what.summary, "note"));
  box.append(head);
  if (what.security) box.append(element("p", "Needs a credential once one is configured: x-api-key, or a JWT as Bearer.", "note"));
  for (const one of what.parameters ?? []) {
    box.append(element("p", `${one.name} (${one.in}${one.required ? ", required" : ""}): ${one.schema.type ?? "…"}`));
  }
  const asked = schemaOf(what.requestBody?.content, all);
  if (asked) box.append(element("p", `Body, ${asked[0]}`), element("pre", asked[1]));
  for (const [status, answer] of Object.entries(what.responses)) {
    const found = schemaOf(answer.content, all);
    box.append(element("p", `${status} ${answer.description}${found ? `, ${found[0]}` : ""}`));
    if (found && status < 300) box.append(element("pre", found[1]));
  }
  return box;
}

const main = document.getElementById("paths");
try {
  const api = await (await fetch("/openapi.json")).json();
  main.replaceChildren();
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, what] of Object.entries(methods)) main.append(operation(method, path, what, api.components.schemas));
  }
} catch (error) {
  main.textContent = `The description could not be loaded: ${error}`;
}
