// The pages: the fleet, and one service. Redrawn at most four times a second.
import { ask, connect, feed, isStale, key } from "./feed.js";
import { age, causeOf, clock, exact, figure, make, mark, reason, sentence, worstFirst } from "./words.js";

const $ = (id) => document.getElementById(id);
const main = $("main");
const view = new URLSearchParams(location.search);
let asking = null; // id of the service whose restart is to be confirmed
let story = new Map(); // id → what came of an action
let details = null; // what the page of a service has loaded
let isDrawn = 0;

const say = (text) => { $("said").textContent = text; };
const current = () => decodeURIComponent(location.hash.match(/^#service\/(.+)$/)?.[1] ?? "");

function setView(name, value) {
  if (value) view.set(name, value); else view.delete(name);
  history.replaceState(null, "", `${view.size ? `?${view}` : location.pathname}${location.hash}`);
  draw();
}

function matches(one) {
  const text = (view.get("q") ?? "").toLowerCase();
  const status = view.get("status");
  const words = [one.id, one.name, one.service_type, one.group, ...Object.entries(one.labels ?? {}).flat()].join(" ").toLowerCase();
  return (!status || one.status === status) && words.includes(text);
}

async function act(one, action) {
  asking = null;
  story.set(one.id, `${action} requested`);
  draw();
  const { status, body } = await ask(`/api/services/${encodeURIComponent(one.id)}/${action}`, "POST").catch((error) => ({ status: 0, body: { message: String(error) } }));
  if (status === 401) openKey();
  story.set(one.id, status === 200 ? `${action} done, looking whether it is well` : `${action} failed: ${body.message ?? body.detail ?? status}`);
  say(story.get(one.id));
  draw();
}

function restart(one) {
  if (!one.docker_container) return null;
  const isOff = isStale();
  if (asking === one.id) {
    const needed = [...feed.services.values()].filter((other) => other.depends_on?.includes(one.id)).map((other) => other.name);
    const warning = needed.length ? `${needed.join(", ")} ${needed.length === 1 ? "needs" : "need"} it. ` : "";
    const agree = make("button", { class: "filled", "data-agree": true, onclick: (event) => { event.stopPropagation(); act(one, "restart"); } }, "Restart");
    return make("span", {}, `${warning}Restart ${one.name}? `, agree, " ", make("button", { onclick: (event) => { event.stopPropagation(); asking = null; draw(); } }, "No"));
  }
  return make("button", { disabled: isOff, title: isOff ? "Not connected" : null, onclick: (event) => { event.stopPropagation(); asking = one.id; draw(); main.querySelector("[data-agree]")?.focus(); } }, "Restart");
}

function beats(one) {
  const box = make("div", { class: "beats", role: "img", "aria-label": `Last checks of ${one.name}` });
  for (const beat of feed.beats.get(one.id) ?? []) box.append(make("i", { class: beat.status, title: `${clock(beat.at)} ${beat.status}` }));
  return box;
}

function line(one) {
  const cause = causeOf(one, feed.services);
  const why = make("td", { class: "why" }, reason(one));
  const told = story.get(one.id);
  const second = told ?? (cause && one.status === "Unhealthy" ? `Needs ${cause.name}, which is down.` : one.is_down ? "Down." : "");
  if (second) why.append(make("div", { class: "soft" }, second));
  const open = () => { location.hash = `service/${encodeURIComponent(one.id)}`; };
  const isChanged = Date.now() - (feed.changed.get(one.id) ?? 0) < 2000;
  return make(
    "tr", { class: `${one.status}${isChanged ? " changed" : ""}`, "data-id": one.id, tabindex: "0", onclick: open, onkeydown: (event) => { if (event.key === "Enter" && event.target === event.currentTarget) open(); } },
    make("td", {}, mark(one.status, true)),
    make("td", { class: `name${one.critical ? " flag" : ""}`, title: one.critical ? "critical" : null }, one.name),
    make("td", { class: "type" }, one.service_type),
    why,
    make("td", { class: "number" }, figure(one.response_time_ms)),
    make("td", { class: "beat-cell spread" }, beats(one)),
    make("td", { class: "number since", title: exact(one.since) }, isStale() ? clock(one.since) : age(one.since)),
    make("td", { class: "acts" }, restart(one)),
  );
}

function chips(all) {
  const chosen = view.get("status");
  const chip = (status, count) => make("button", { "aria-pressed": String(chosen === status || (!chosen && !status)), onclick: () => setView("status", status === chosen ? "" : status) }, status ? mark(status) : null, make("b", {}, String(count)), status || "All");
  const times = all.filter((one) => one.response_time_ms !== null).map((one) => one.response_time_ms);
  const down = all.filter((one) => one.critical && one.status === "Unhealthy").length;
  const critical = all.filter((one) => one.critical).length;
  return make(
    "div", { class: "chips", role: "group", "aria-label": "Filter by status" }, chip("", all.length),
    ...["Unhealthy", "Degraded", "Unknown", "Healthy"].map((status) => chip(status, all.filter((one) => one.status === status).length)),
    make("span", { class: "figures" }, make("span", {}, `critical down ${down} of ${critical}`), make("span", {}, `average response ${times.length ? figure(times.reduce((a, b) => a + b, 0) / times.length) : "–"} ms`)),
  );
}

function table(all) {
  const shown = all.filter(matches).sort(worstFirst);
  if (!shown.length && all.length) {
    return make("p", {}, `Nothing matches “${view.get("q") ?? view.get("status")}”. `, make("button", { onclick: () => { $("search").value = ""; view.delete("q"); setView("status", ""); } }, "Show all"));
  }
  const body = make("tbody");
  body.append(...shown.filter((one) => one.status !== "Healthy").map(line));
  const groups = Map.groupBy ? Map.groupBy(shown, (one) => one.group ?? "") : new Map([["", shown]]);
  for (const [group, members] of [...groups].sort(([a], [b]) => a.localeCompare(b))) {
    const well = members.filter((one) => one.status === "Healthy").sort((a, b) => a.id.localeCompare(b.id));
    if (group && well.length) body.append(make("tr", { class: "group" }, make("td", { colspan: "8" }, make("b", {}, group), `${well.length} of ${members.length} healthy`)));
    body.append(...well.map(line));
  }
  const heads = [["", ""], ["Service", ""], ["Type", "type"], ["What is wrong", ""], ["Answer, ms", "number"], ["Last checks", "beat-cell spread"], ["Since", "number since"], ["", ""]];
  return make("table", {}, make("thead", {}, make("tr", {}, ...heads.map(([text, kind]) => make("th", { class: kind, scope: "col" }, text)))), body);
}

function lately(events) {
  const told = events.filter((event) => event.event_type !== "StatusChanged");
  if (!told.length) return null;
  const rows = told.slice(0, 12).map((event) => make("li", {}, make("span", { class: "soft", title: exact(event.timestamp) }, age(event.timestamp)), make("span", {}, event.event_type), make("span", {}, event.message)));
  return make("section", {}, make("h2", {}, "Lately"), make("ul", { class: "lately" }, ...rows));
}

function overview() {
  const all = [...feed.services.values()];
  const [first, rest] = sentence(feed.services, !isStale());
  return [make("div", { class: "head" }, make("div", {}, make("h1", { id: "sentence" }, first), rest ? make("p", { class: "rest" }, rest) : null)), chips(all), table(all), lately(feed.events)];
}

const fact = (name, value) => (value === null || value === undefined || value === "" ? [] : [make("div", {}, make("dt", {}, name), make("dd", {}, String(value)))]);

function checks(health) {
  if (!health?.checks?.length) return null;
  const rows = health.checks.map((check) => make("tr", { class: check.status === "Healthy" ? "" : check.status }, make("td", {}, mark(check.status, true)), make("td", { class: "name" }, check.name), make("td", { class: "why" }, check.message ?? ""), make("td", { class: "number" }, check.response_time_ms === null ? "" : `${figure(check.response_time_ms)} ms`)));
  return make("section", {}, make("h2", {}, "Checks"), make("table", {}, make("tbody", {}, ...rows)));
}

function service(id) {
  const one = feed.services.get(id);
  const back = make("p", {}, make("a", { href: "#" }, "← All services"));
  if (!one) return [back, make("h1", { id: "sentence" }, `No service “${id}” is watched.`)];
  const health = details?.id === id ? details.health : null;
  const container = health?.container;
  const uptimes = details?.id === id ? Object.entries(details.uptime ?? {}) : [];
  const incidents = details?.id === id ? details.incidents : [];
  return [
    back,
    make("div", { class: "head" }, make("h1", { id: "sentence" }, mark(one.status, true), ` ${one.name}: ${one.status === "Healthy" ? `healthy for ${age(one.since)}` : `${one.status.toLowerCase()} since ${clock(one.since).slice(0, 5)} (${age(one.since)}): ${reason(one)}`}`), make("span", { class: "row" }, restart(one))),
    story.get(id) ? make("p", { class: "rest" }, story.get(id)) : null,
    make("dl", { class: "facts" }, ...fact("Answer", one.response_time_ms === null ? "–" : `${figure(one.response_time_ms)} ms, expected ${figure(one.expected_response_time_ms)}`), ...fact("Last check", `${age(one.last_check)} ago`), ...fact("Type", one.service_type), ...fact("Critical", one.critical ? "yes" : "no"), ...fact("Needs", one.depends_on.join(", ")), ...uptimes.flatMap(([range, value]) => fact(`Uptime, ${range}`, value.uptime_percent === null ? "–" : `${value.uptime_percent.toFixed(2)} %`))),
    make("div", {}, beats(one)),
    checks(health),
    container ? make("section", {}, make("h2", {}, "Container"), make("dl", { class: "facts" }, ...fact("Name", container.name), ...fact("State", container.state), ...fact("Image", container.image), ...fact("Started", container.started_at ? `${age(container.started_at)} ago` : ""), ...fact("Exit code", container.exit_code), ...fact("Out of memory", container.oom_killed ? "yes" : ""), ...fact("Restarts", container.restart_count))) : null,
    incidents.length ? make("section", {}, make("h2", {}, "Incidents"), make("ul", { class: "lately" }, ...incidents.map((incident) => make("li", {}, make("span", { class: "soft", title: exact(incident.started_at) }, age(incident.started_at)), make("span", {}, incident.ended_at ? `lasted ${age(incident.started_at, Date.parse(incident.ended_at))}` : "open"), make("a", { href: `/api/incidents/${encodeURIComponent(incident.id)}/postmortem` }, incident.cause ?? "unknown cause"))))) : null,
    lately(feed.events.filter((event) => event.service_id === id)),
  ];
}

async function load(id) {
  const path = `/api/services/${encodeURIComponent(id)}`;
  const [health, uptime, incidents] = await Promise.all([ask(`${path}/health`), ask(`${path}/uptime`), ask(`/api/incidents?service_id=${encodeURIComponent(id)}`)].map((one) => one.catch(() => ({ status: 0, body: {} }))));
  if (current() !== id) return;
  details = { id, health: health.status === 200 ? health.body : null, uptime: uptime.status === 200 ? uptime.body.ranges : {}, incidents: incidents.status === 200 ? incidents.body.incidents : [] };
  draw();
}

function chrome() {
  const all = [...feed.services.values()];
  const count = (status) => all.filter((one) => one.status === status).length;
  const worst = count("Unhealthy") ? "Unhealthy" : count("Degraded") ? "Degraded" : count("Unknown") || !all.length ? "Unknown" : "Healthy";
  const isOld = isStale();
  const shape = { Unhealthy: "■", Degraded: "▲", Unknown: "○", Healthy: "●" }[worst];
  document.title = isOld ? "Not connected · FKS Master" : `${shape} ${worst === "Healthy" ? `${all.length} healthy` : `${count(worst)} ${worst.toLowerCase()}`} · FKS Master`;
  $("icon").href = `/static/icon-${isOld ? "unknown" : worst.toLowerCase()}.svg`;
  document.documentElement.toggleAttribute("data-stale", isOld && all.length > 0);
  $("banner").hidden = !isOld || !feed.heard;
  $("banner").textContent = feed.isLive ? `Nothing new for ${age(feed.heard)}. What you see is old.` : `Connection lost. What you see is ${age(feed.heard)} old. Trying again.`;
  $("age").textContent = feed.isLive && !isOld ? `live, ${clock(Date.now())} UTC` : "not connected";
}

function paint() {
  const focused = document.activeElement?.closest?.("tr[data-id]")?.dataset.id;
  const isAgreeing = document.activeElement?.hasAttribute("data-agree");
  chrome();
  if (!feed.heard) return;
  main.replaceChildren(...(current() ? service(current()) : overview()).filter(Boolean));
  if (isAgreeing) main.querySelector("[data-agree]")?.focus();
  else if (focused) main.querySelector(`tr[data-id="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
}

function draw() {
  clearTimeout(isDrawn);
  isDrawn = setTimeout(paint, 0);
}

let isWaiting = false;
feed.listener = (data) => {
  if (data.type === "event" && ["ServiceDown", "ServiceUp", "ServiceRestarted"].includes(data.event_type)) {
    say(data.message);
    if (data.event_type === "ServiceRestarted") story.set(data.service_id, data.message);
  }
  if (current() && data.service?.id === current()) load(current());
  if (isWaiting) return;
  isWaiting = true;
  setTimeout(() => { isWaiting = false; paint(); }, 250);
};

function openKey() {
  $("key-input").value = key.get();
  $("key-dialog").showModal();
}

$("key").addEventListener("click", openKey);
$("key-dialog").addEventListener("close", () => {
  const answer = $("key-dialog").returnValue;
  if (answer === "save") key.set($("key-input").value.trim());
  if (answer === "forget") key.set("");
  $("key-input").value = "";
  if (answer) location.reload();
});
$("help").addEventListener("click", () => $("help-dialog").showModal());
const themed = (theme) => { if (theme) document.documentElement.dataset.theme = theme; else delete document.documentElement.dataset.theme; };
function turnTheme() {
  const isDark = (document.documentElement.dataset.theme ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  localStorage.setItem("fks-theme", isDark ? "light" : "dark");
  themed(localStorage.getItem("fks-theme"));
}
$("theme").addEventListener("click", turnTheme);
themed(localStorage.getItem("fks-theme"));
$("search").value = view.get("q") ?? "";
$("search").addEventListener("input", (event) => setView("q", event.target.value));

function move(step) {
  const rows = [...main.querySelectorAll("tr[data-id]")];
  const at = rows.indexOf(document.activeElement?.closest?.("tr[data-id]"));
  rows[Math.max(0, Math.min(rows.length - 1, at + step))]?.focus();
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    if (asking) asking = null; else if (document.activeElement === $("search")) $("search").blur(); else location.hash = "";
    draw();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea") || document.querySelector("dialog[open]")) return;
  const id = current() || document.activeElement?.closest?.("tr[data-id]")?.dataset.id;
  const keys = {
    "/": () => $("search").focus(), j: () => move(1), k: () => move(-1), t: turnTheme, "?": () => $("help-dialog").showModal(),
    r: () => { if (id && feed.services.get(id)?.docker_container) { asking = id; paint(); main.querySelector("[data-agree]")?.focus(); } },
  };
  if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
});
addEventListener("hashchange", () => { asking = null; if (current()) load(current()); draw(); scrollTo(0, 0); });
setInterval(paint, 1000);
connect();
if (current()) load(current());
ask("/api/events?limit=12").then(({ status, body }) => { if (status === 200) feed.events = [...feed.events, ...body.events].slice(0, 50); }).catch(() => {});
