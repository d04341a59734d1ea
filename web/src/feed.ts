// The fleet as the monitor tells it: a snapshot, then changes. It reconnects, and knows when it knows nothing new.
import { batch, computed, signal } from "@preact/signals";
import { key } from "./api";
import type { Beat, Event, Recent, Service, Status } from "./model";

const REPAINT_MS = 250;
const LONGEST_WAIT_MS = 5000;
const BEATS = 50;
const EVENTS = 300;
const SILENT_MS = 5000;
const LONGEST_OPENING_MS = 8000;
const UNAUTHORIZED = 1008;

export const services = signal<ReadonlyMap<string, Service>>(new Map());
/** The ids by group and name: an order that no check changes. */
export const order = signal<readonly string[]>([]);
export const events = signal<readonly Event[]>([]);
export const isOpen = signal(false);
export const isLocked = signal(false);
export const heard = signal(0);
export const lostAt = signal(0);
export const tries = signal(0);
export const nextTry = signal(0);
export const now = signal(Date.now());
export const said = signal("");
export const filled = signal(0);
export const changedAt = new Map<string, number>();
const beats = new Map<string, Beat[]>();
const words = new Map<string, string>();

/** Nothing for two of the shortest intervals: what is shown is old. */
export const isStale = computed(() => {
  if (!isOpen.value) return true;
  let shortest = 60;
  for (const one of services.value.values()) shortest = Math.min(shortest, one.interval_seconds);
  return services.value.size > 0 && now.value - heard.value > Math.max(12_000, 2000 * shortest + 11_000);
});

/** A service whose own checks have not come for two of its intervals, and some. */
export const isLate = (one: Service, at: number): boolean =>
  one.last_check !== null && at - Date.parse(one.last_check) > one.interval_seconds * 2000 + 15_000;

/** Drawn anew when older checks come in. */
export const beatsOf = (id: string): readonly Beat[] => (filled.value >= 0 ? (beats.get(id) ?? []) : []);

/** What a search looks in: everything the config says of a service, in lower case. */
export const wordsOf = (id: string): string => words.get(id) ?? "";

/** What a check changes; what is left out has its default. */
interface Delta {
  type: "change";
  id: string;
  status: Status;
  last_check?: string;
  since?: string;
  response_time_ms?: number;
  error_message?: string;
  is_down?: boolean;
  reason?: Service["reason"];
}

type Message = Delta | { type: "initial" | "update"; services: Service[] } | { type: "event"; event: Event } | { type: "other" };

let waiting: Message[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;
let retry: ReturnType<typeof setTimeout> | undefined;
let pause = REPAINT_MS;
const hearers = new Set<(event: Event) => void>();
const lookers = new Set<(one: Service, before: Service) => void>();

export function onEvent(hear: (event: Event) => void): void {
  hearers.add(hear);
}

/** Told of every check of every service, with what was known before it. */
export function onCheck(look: (one: Service, before: Service) => void): void {
  lookers.add(look);
}

function note(one: Service): void {
  const kept = beats.get(one.id) ?? [];
  kept.push({ status: one.status, at: one.last_check, ms: one.response_time_ms });
  if (kept.length > BEATS) kept.shift();
  beats.set(one.id, kept);
}

function describe(one: Service): void {
  const labels = Object.entries(one.labels).map(([name, value]) => `${name}=${value}`);
  words.set(one.id, [one.id, one.name, one.service_type, one.group ?? "", ...labels].join(" ").toLowerCase());
}

function take(known: Map<string, Service>, one: Service, before: Service | undefined): void {
  if (before && before.status !== one.status) changedAt.set(one.id, Date.now());
  if (one.last_check !== null && before?.last_check !== one.last_check) note(one);
  known.set(one.id, one);
}

function change(known: Map<string, Service>, delta: Delta): void {
  const before = known.get(delta.id);
  if (!before) return;
  const unset = { last_check: null, since: null, response_time_ms: null, error_message: null, is_down: false, reason: null };
  const one: Service = { ...before, ...unset, ...delta };
  take(known, one, before);
  for (const look of lookers) look(one, before);
}

function snapshot(all: Service[], known: ReadonlyMap<string, Service>): Map<string, Service> {
  const fresh = new Map<string, Service>();
  for (const one of all) {
    describe(one);
    take(fresh, one, known.get(one.id));
  }
  return fresh;
}

const arranged = (all: ReadonlyMap<string, Service>): string[] =>
  [...all.values()].sort((a, b) => (a.group ?? "\uffff").localeCompare(b.group ?? "\uffff") || a.name.localeCompare(b.name)).map((one) => one.id);

function draw(): void {
  clearTimeout(timer);
  timer = undefined;
  const messages = waiting;
  waiting = [];
  const told: Event[] = [];
  let known = new Map(services.value);
  let isAnew = false;
  for (const message of messages) {
    if (message.type === "change") change(known, message);
    else if (message.type === "event") told.unshift(message.event);
    else if (message.type === "initial" || message.type === "update") {
      known = snapshot(message.services, known);
      isAnew = true;
    }
  }
  batch(() => {
    services.value = known;
    if (isAnew) order.value = arranged(known);
    if (told.length) events.value = [...told, ...events.value].slice(0, EVENTS);
    isOpen.value = true;
    isLocked.value = false;
    tries.value = 0;
    heard.value = now.value = Date.now();
  });
  for (const event of told.reverse()) for (const hear of hearers) hear(event);
}

function hear(message: Message): void {
  waiting.push(message);
  // The first picture at once, then at most four a second.
  timer ??= setTimeout(draw, services.value.size ? REPAINT_MS : 0);
}

/** Older events, which were told before the page was open. */
export function remember(older: Event[]): void {
  const seen = new Set(events.value.map((one) => one.id));
  events.value = [...events.value, ...older.filter((one) => !seen.has(one.id))].sort((a, b) => b.id - a.id).slice(0, EVENTS);
}

const CODES: Status[] = ["Unknown", "Healthy", "Degraded", "Unhealthy"];

/** The last checks of all services, as they were before the page was open. */
export function fillAll(recent: Recent): void {
  for (const [id, checks] of Object.entries(recent.services)) {
    const last = checks.at(-1)?.[0] ?? 0;
    const older = checks.map(([at, code, ms]): Beat => ({ at: new Date(at).toISOString(), status: CODES[code] ?? "Unknown", ms: code === 3 ? null : ms }));
    const newer = (beats.get(id) ?? []).filter((beat) => Date.parse(beat.at ?? "") > last + 1);
    beats.set(id, [...older, ...newer].slice(-BEATS));
  }
  filled.value++;
}

let socket: WebSocket | undefined;

export function connect(): void {
  clearTimeout(retry);
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const mine = (socket = new WebSocket(`${scheme}://${location.host}/ws`));
  const deadline = setTimeout(() => mine.close(), LONGEST_OPENING_MS); // a network may swallow the very first packet
  mine.onopen = () => {
    clearTimeout(deadline);
    if (key.get()) mine.send(JSON.stringify({ command_type: "authenticate", token: key.get() }));
    mine.send(JSON.stringify({ command_type: "subscribe_changes" }));
  };
  mine.onmessage = (message: MessageEvent<string>) => {
    pause = REPAINT_MS;
    hear(JSON.parse(message.data) as Message);
  };
  mine.onclose = (event) => {
    clearTimeout(deadline);
    if (mine !== socket) return;
    if (isOpen.value) lostAt.value = Date.now();
    isOpen.value = false;
    if (event.code === UNAUTHORIZED) {
      isLocked.value = true;
      return;
    }
    const wait = pause * (0.5 + Math.random() / 2);
    tries.value++;
    nextTry.value = Date.now() + wait;
    retry = setTimeout(connect, wait);
    pause = Math.min(LONGEST_WAIT_MS, pause * 2);
  };
}

/** Ask again with what is known now: another key, or because somebody does not want to wait. */
export function reconnect(): void {
  const old = socket;
  socket = undefined;
  old?.close();
  connect();
}

/** Not to wait for a timer that slept, nor for a connection that died without a word while the computer slept. */
function hurry(): void {
  if (waiting.length) draw();
  now.value = Date.now();
  if (isLocked.value || socket?.readyState === WebSocket.CONNECTING) return;
  if (!isOpen.value || isStale.value) reconnect();
}

/** Tell the time every second. What is open and silent for too long is opened anew: it may have died unheard. */
export function watchTime(): void {
  let silentSince = 0;
  setInterval(() => {
    now.value = Date.now();
    if (!isOpen.value || !isStale.value) silentSince = now.value;
    else if (now.value - silentSince > SILENT_MS) {
      silentSince = now.value;
      reconnect();
    }
  }, 1000);
  addEventListener("online", hurry);
  addEventListener("visibilitychange", () => document.visibilityState === "visible" && hurry());
}
