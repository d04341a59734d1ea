// What the page says. Ages, sentences, and elements whose every text is set as text, never as markup.
export const RANK = { Unhealthy: 0, Degraded: 1, Unknown: 2, Healthy: 3 };

export function make(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") made.className = value;
    else if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (value === true) made.setAttribute(key, "");
    else if (value !== false && value !== null && value !== undefined) made.setAttribute(key, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

export const mark = (status, isNamed = false) => make("span", { class: `mark ${status}`, ...(isNamed ? { role: "img", "aria-label": status } : { "aria-hidden": "true" }) });

export function age(moment, now = Date.now()) {
  if (!moment) return "–";
  const seconds = Math.max(0, (now - Date.parse(moment)) / 1000);
  if (seconds < 60) return `${Math.floor(seconds)} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86400)} d`;
}

export const clock = (moment) => (moment ? new Date(moment).toISOString().slice(11, 19) : "–");
export const exact = (moment) => (moment ? `${new Date(moment).toISOString().replace("T", " ").slice(0, 19)} UTC` : "");
export const figure = (value) => (value === null || value === undefined ? "–" : value >= 10 ? Math.round(value).toLocaleString("en") : value.toFixed(1));

export function worstFirst(a, b) {
  return RANK[a.status] - RANK[b.status] || Number(b.critical) - Number(a.critical) || Date.parse(a.since ?? 0) - Date.parse(b.since ?? 0) || a.id.localeCompare(b.id);
}

export function reason(one) {
  if (one.status === "Healthy") return "";
  if (one.status === "Unknown") return "Not seen yet";
  if (one.error_message) return one.error_message;
  if (one.response_time_ms > one.expected_response_time_ms) return `Slow: ${figure(one.response_time_ms)} ms, expected ${figure(one.expected_response_time_ms)} ms`;
  return one.status === "Degraded" ? "Reports trouble of its own" : "Unhealthy";
}

// Causes rank above consequences: one that needs another which is down is explained by it.
export const causeOf = (one, services) => (one.depends_on ?? []).map((id) => services.get(id)).find((need) => need?.status === "Unhealthy");

export function sentence(services, isLive) {
  const all = [...services.values()].sort(worstFirst);
  const bad = all.filter((one) => one.status === "Unhealthy");
  const verb = isLive ? "is" : "was";
  if (!all.length) return ["No services are configured.", "Name some in config/monitor.toml, then: fks_master validate"];
  if (!bad.length) {
    const slow = all.filter((one) => one.status === "Degraded");
    const rest = slow.length ? `${slow.map((one) => one.name).slice(0, 3).join(", ")} ${slow.length === 1 ? verb : isLive ? "are" : "were"} degraded.` : "";
    return [isLive ? `${all.length} services, none down.` : `${all.length} services, none was down.`, rest];
  }
  const first = bad.find((one) => !causeOf(one, services)) ?? bad[0];
  const others = bad.filter((one) => one !== first).map((one) => {
    const cause = causeOf(one, services);
    return cause ? `${one.name} fails because it needs ${cause.name}.` : `${one.name}: ${reason(one)}.`;
  });
  return [`${first.name} ${verb} ${first.is_down ? "down" : "failing"} since ${clock(first.since).slice(0, 5)} (${age(first.since)}): ${reason(first)}.`, others.slice(0, 4).join(" ")];
}
