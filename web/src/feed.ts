// The fleet as the monitor tells it: a snapshot, then changes. It reconnects, and knows when it knows nothing new.
import { batch, computed, signal } from "@preact/signals";
import { key } from "./api";
import type { Beat, Event, Recent, Service, Status } from "./model";

const REPAINT_MS = 250;
const LONGEST_WAIT_MS = 5000;
const BEATS = 50;
const EVENTS = 200;

export const services = signal<ReadonlyMap<string, Service>>(new Map());
export const events = signal<readonly Event[]>([]);
export const isOpen = signal(false);
export const heard = signal(0);
export const now = signal(Date.now());
export const said = signal("");
export const changedAt = new Map<string, number>();
const beats = new Map<string, Beat[]>();

/** Nothing for two of the shortest intervals: what is shown is old. */
export const isStale = computed(() => {
  if (!isOpen.value) return true;
  let shortest = 60;
  for (const one of services.value.values()) shortest = Math.min(shortest, one.interval_seconds);
  return services.value.size > 0 && now.value - heard.value > Math.max(12_000, 2000 * shortest + 11_000);
});

/** A service whose own checks have not come for two of its intervals, and some. */
export const isLate = (one: Service): boolean =>
  one.last_check !== null && now.value - Date.parse(one.last_check) > one.interval_seconds * 2000 + 15_000;

export const beatsOf = (id: string): readonly Beat[] => beats.get(id) ?? [];

interface Message {
  type: string;
  services?: Service[];
  service?: Service;
  event?: Event;
}

let waiting: Message[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let pause = REPAINT_MS;
const hearers = new Set<(event: Event) => void>();

export function onEvent(hear: (event: Event) => void): () => void {
  hearers.add(hear);
  return () => hearers.delete(hear);
}

function take(known: Map<string, Service>, one: Service): void {
  const before = known.get(one.id);
  if (before && before.status !== one.status) changedAt.set(one.id, Date.now());
  if (!before || before.last_check !== one.last_check) {
    const kept = beats.get(one.id) ?? [];
    kept.push({ status: one.status, at: one.last_check, ms: one.response_time_ms });
    if (kept.length > BEATS) kept.shift();
    beats.set(one.id, kept);
  }
  known.set(one.id, one);
}

function draw(): void {
  timer = undefined;
  const messages = waiting;
  waiting = [];
  const told: Event[] = [];
  let known = new Map(services.value);
  for (const message of messages) {
    if (message.services) {
      const fresh = new Map<string, Service>();
      for (const one of message.services) {
        const before = known.get(one.id);
        if (before) fresh.set(one.id, before);
        take(fresh, one);
      }
      known = fresh;
    } else if (message.service) take(known, message.service);
    else if (message.event) told.unshift(message.event);
  }
  batch(() => {
    services.value = known;
    if (told.length) events.value = [...told, ...events.value].slice(0, EVENTS);
    isOpen.value = true;
    heard.value = now.value = Date.now();
  });
  for (const event of told) for (const hear of hearers) hear(event);
}

function hear(message: Message): void {
  waiting.push(message);
  // The first picture at once, then at most four a second.
  timer ??= setTimeout(draw, services.value.size ? REPAINT_MS : 0);
}

/** Older events, which were told before the page was open. */
export function remember(older: Event[]): void {
  const seen = new Set(events.value.map((one) => one.id));
  events.value = [...events.value, ...older.filter((one) => !seen.has(one.id))].slice(0, EVENTS);
}

/** Older checks of a service, oldest first. */
function fillBeats(id: string, older: Beat[]): void {
  const known = beats.get(id) ?? [];
  const first = Date.parse(known[0]?.at ?? "9999-01-01");
  beats.set(id, [...older.filter((one) => Date.parse(one.at ?? "") < first - 1), ...known].slice(-BEATS));
}

const CODES: Status[] = ["Unknown", "Healthy", "Degraded", "Unhealthy"];

/** The last checks of all services, as they were before the page was open. */
export function fillAll(recent: Recent): void {
  for (const [id, checks] of Object.entries(recent.services))
    fillBeats(id, checks.map(([at, code, ms]) => ({ at: new Date(at).toISOString(), status: CODES[code] ?? "Unknown", ms: code === 3 ? null : ms })));
  now.value = Date.now();
}

export function connect(): void {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const socket = new WebSocket(`${scheme}://${location.host}/ws`);
  socket.onopen = () => {
    pause = REPAINT_MS;
    if (key.get()) socket.send(JSON.stringify({ command_type: "authenticate", token: key.get() }));
    socket.send(JSON.stringify({ command_type: "subscribe_changes" }));
  };
  socket.onmessage = (message: MessageEvent<string>) => hear(JSON.parse(message.data) as Message);
  socket.onclose = () => {
    isOpen.value = false;
    setTimeout(connect, pause * (0.5 + Math.random() / 2));
    pause = Math.min(LONGEST_WAIT_MS, pause * 2);
  };
}

setInterval(() => (now.value = Date.now()), 1000);
