// The fleet as the monitor tells it: a snapshot, then changes; reconnects, and says when it knows nothing new.
const LONGEST_WAIT = 5000;
const BEATS = 50;

export const feed = { services: new Map(), beats: new Map(), changed: new Map(), events: [], isLive: false, heard: 0, listener: () => {} };
let wait = 250;

export const key = {
  get: () => sessionStorage.getItem("fks-key") ?? "",
  set: (value) => (value ? sessionStorage.setItem("fks-key", value) : sessionStorage.removeItem("fks-key")),
};

export async function ask(path, method = "GET") {
  const credential = key.get();
  const headers = credential ? (credential.split(".").length === 3 ? { authorization: `Bearer ${credential}` } : { "x-api-key": credential }) : {};
  const answer = await fetch(path, { method, headers });
  const isJson = (answer.headers.get("content-type") ?? "").includes("json");
  return { status: answer.status, body: isJson ? await answer.json() : await answer.text() };
}

function take(one) {
  const before = feed.services.get(one.id);
  if (before && before.status !== one.status) feed.changed.set(one.id, Date.now());
  if (!before || before.last_check !== one.last_check) {
    const beats = feed.beats.get(one.id) ?? [];
    beats.push({ status: one.status, at: one.last_check, ms: one.response_time_ms });
    feed.beats.set(one.id, beats.slice(-BEATS));
  }
  feed.services.set(one.id, one);
}

function hear(data) {
  if (data.services) {
    const known = new Set(data.services.map((one) => one.id));
    for (const id of feed.services.keys()) if (!known.has(id)) feed.services.delete(id);
    data.services.forEach(take);
  } else if (data.type === "change") take(data.service);
  else if (data.type === "event") feed.events = [data.event, ...feed.events].slice(0, 50);
  feed.heard = Date.now();
  feed.isLive = true;
  feed.listener(data);
}

export function connect() {
  const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`);
  socket.onopen = () => {
    wait = 250;
    if (key.get()) socket.send(JSON.stringify({ command_type: "authenticate", token: key.get() }));
    socket.send(JSON.stringify({ command_type: "subscribe_changes" }));
  };
  socket.onmessage = (message) => hear(JSON.parse(message.data));
  socket.onclose = () => {
    feed.isLive = false;
    feed.listener({ type: "closed" });
    setTimeout(connect, wait * (0.5 + Math.random() / 2));
    wait = Math.min(LONGEST_WAIT, wait * 2);
  };
}

// Nothing for two of the shortest intervals: what is shown is old.
export function isStale() {
  if (!feed.isLive) return true;
  const shortest = Math.min(60, ...[...feed.services.values()].map((one) => one.interval_seconds));
  return feed.services.size > 0 && Date.now() - feed.heard > Math.max(12000, 2000 * shortest + 11000);
}
