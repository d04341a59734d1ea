// How the page says things: ages, figures, reasons, and the one sentence. The words themselves stand in text.ts.
import type { Beat, Event, Service, Status } from "./model";
import { T } from "./text";

export const RANK: Record<Status, number> = { Unhealthy: 0, Degraded: 1, Unknown: 2, Healthy: 3 };
export const SHAPE: Record<Status, string> = { Unhealthy: "■", Degraded: "▲", Unknown: "○", Healthy: "●" };
const NAMED = 3;
/** A figure and its unit stay on one line. */
export const NB = "\u00a0";

type Services = ReadonlyMap<string, Service>;

export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole}${NB}${T.units.s}`;
  if (whole < 3600) return `${Math.floor(whole / 60)}${NB}${T.units.min}`;
  if (whole < 172800) return `${Math.floor(whole / 3600)}${NB}${T.units.h}`;
  return `${Math.floor(whole / 86400)}${NB}${T.units.d}`;
}

/** A time that an action took: tenths while they mean something. */
export const took = (milliseconds: number): string =>
  milliseconds < 60_000 ? `${(milliseconds / 1000).toFixed(1)}${NB}${T.units.s}` : span(milliseconds / 1000);

export const age = (moment: string | null | undefined, now: number): string =>
  moment ? span((now - Date.parse(moment)) / 1000) : T.none;

export const clock = (moment: string | number | null | undefined): string =>
  moment ? new Date(moment).toISOString().slice(11, 19) : T.none;

export const minute = (moment: string | number | null | undefined): string => clock(moment).slice(0, 5);

/** Old data: an age would go on counting, so the time itself, and the day where that is another. */
export function since(moment: string | null | undefined, now: number): string {
  if (!moment) return T.none;
  const at = new Date(moment);
  if (now - at.getTime() < 86_400_000) return minute(moment);
  return at.toLocaleDateString("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
}

export const exact = (moment: string | number | null | undefined): string =>
  moment ? `${new Date(moment).toISOString().replace("T", " ").slice(0, 19)} ${T.utc}` : "";

export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return T.none;
  return value >= 10 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return T.none;
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(value, 1)) / 3)));
  return `${power === 0 ? Math.round(value).toString() : figure(value / 1000 ** power)}${NB}${units[power] ?? ""}`;
}

export const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? T.none : `${value === 100 ? "100" : value.toFixed(2)}${NB}%`;

const began = (one: Service): number => (one.since ? Date.parse(one.since) : 0);

export function worstFirst(a: Service, b: Service): number {
  return (
    RANK[a.status] - RANK[b.status] ||
    Number(b.critical) - Number(a.critical) ||
    began(a) - began(b) ||
    (a.id < b.id ? -1 : Number(a.id > b.id))
  );
}

const capital = (text: string): string => (/^[a-z]+[ :]/.test(text) ? `${text[0]?.toUpperCase() ?? ""}${text.slice(1)}` : text);

export function reason(one: Service): string {
  if (one.status === "Healthy") return "";
  if (one.status === "Unknown") return one.error_message ? capital(one.error_message) : T.reason.unseen;
  if (one.error_message) return capital(one.error_message);
  if (isSlow(one)) return T.reason.slow(figure(one.response_time_ms), figure(one.expected_response_time_ms));
  return one.status === "Degraded" ? T.reason.reported : T.reason.unhealthy;
}

export const isSlow = (one: Service): boolean =>
  one.status === "Degraded" && !one.error_message && one.response_time_ms !== null && one.response_time_ms > one.expected_response_time_ms;

// Causes rank above consequences: one that needs another which is down is explained by it.
export const causeOf = (one: Service, services: Services): Service | undefined =>
  one.depends_on.map((id) => services.get(id)).find((need) => need?.status === "Unhealthy");

export const names = (all: readonly { name: string }[]): string => {
  const shown = all.slice(0, NAMED).map((one) => one.name);
  if (all.length > NAMED) return T.sentence.and(shown.join(", "), all.length - NAMED);
  return shown.length > 1 ? `${shown.slice(0, -1).join(", ")} and ${shown.at(-1) ?? ""}` : (shown[0] ?? "");
};

/** What was not well lately, of a service that is well now. */
export function trouble(beats: readonly Beat[], now: number): string {
  const failed = beats.filter((beat) => beat.status === "Unhealthy");
  const bad = failed.length ? failed : beats.filter((beat) => beat.status === "Degraded");
  const last = bad.at(-1);
  if (!last) return "";
  const ago = age(last.at, now);
  if (bad.length === 1) return failed.length ? T.reason.failedOnce(ago) : T.reason.slowOnce(ago);
  return failed.length ? T.reason.failedTimes(bad.length, ago) : T.reason.slowTimes(bad.length, ago);
}

export function counted(services: Services): Record<Status, number> {
  const counts: Record<Status, number> = { Unhealthy: 0, Degraded: 0, Unknown: 0, Healthy: 0 };
  for (const one of services.values()) counts[one.status]++;
  return counts;
}

/** The cause that stands first: what is down and explained by nothing else. */
export function rootOf(services: Services): Service | undefined {
  const bad = [...services.values()].filter((one) => one.status === "Unhealthy").sort(worstFirst);
  return bad.find((one) => one.is_down && !causeOf(one, services)) ?? bad.find((one) => !causeOf(one, services)) ?? bad[0];
}

/** One sentence and a quieter line; `then` is the time of what is shown once that is old. */
export function sentence(services: Services, then: number | null, now: number): [string, string] {
  if (!services.size) return [T.sentence.empty, T.sentence.emptyRest];
  const root = rootOf(services);
  const counts = counted(services);
  if (then !== null) {
    const said = (Object.keys(RANK) as Status[]).map((status) => T.bar.count(counts[status], status)).join(", ");
    return [root ? T.sentence.then(clock(then), root.name) : T.sentence.thenWell(clock(then)), T.sentence.thenRest(said)];
  }
  const rest = consequences(services, root);
  if (root) {
    const say = root.is_down ? T.sentence.down : T.sentence.failing;
    return [say(root.name, minute(root.since), age(root.since, now), lower(reason(root))), rest];
  }
  if (counts.Unknown && services.size - counts.Unknown < services.size && isFirstLook(services))
    return [T.sentence.answered(services.size - counts.Unknown, services.size), rest];
  if (counts.Healthy < services.size) return [T.sentence.noneDown(services.size - counts.Healthy, services.size), rest];
  return [services.size === 1 ? T.sentence.wellOne : T.sentence.well(services.size), ""];
}

const isFirstLook = (services: Services): boolean => [...services.values()].some((one) => one.last_check === null);

const lower = (text: string): string => (/^[A-Z][a-z]/.test(text) ? `${text[0]?.toLowerCase() ?? ""}${text.slice(1)}` : text);

function consequences(services: Services, root: Service | undefined): string {
  const all = [...services.values()].filter((one) => one.status !== "Healthy").sort(worstFirst);
  const said: string[] = [];
  const bad = all.filter((one) => one.status === "Unhealthy" && one !== root);
  const through = bad.filter((one) => root && one.depends_on.includes(root.id));
  if (root && through.length) said.push(T.sentence.needs(names(through), root.name, through.length));
  const others = bad.filter((one) => !through.includes(one));
  said.push(...others.slice(0, NAMED).map((one) => T.sentence.also(one.name, lower(reason(one)))));
  if (others.length > NAMED) said.push(T.sentence.more(others.length - NAMED));
  const slow = all.filter(isSlow);
  if (slow.length) said.push(T.sentence.slow(names(slow), slow.length));
  const degraded = all.filter((one) => one.status === "Degraded" && !isSlow(one));
  if (degraded.length) said.push(T.sentence.degraded(names(degraded), degraded.length));
  const unseen = all.filter((one) => one.status === "Unknown" && one.last_check !== null);
  if (unseen.length) said.push(T.sentence.unseen(names(unseen)));
  return said.join(" ");
}

export function title(services: Services, isOld: boolean): string {
  if (isOld) return T.title.lost;
  const worst = worstOf(services);
  const count = counted(services)[worst];
  return `${SHAPE[worst]} ${worst === "Healthy" ? T.bar.healthy(count) : T.bar.count(count, worst)} · ${T.product}`;
}

export function worstOf(services: Services): Status {
  let worst: Status = services.size ? "Healthy" : "Unknown";
  for (const one of services.values()) if (RANK[one.status] < RANK[worst]) worst = one.status;
  return worst;
}

/** What an event says of one thing; nothing where that is no text. */
export function textOf(event: Event, name: string): string {
  const value = event.data[name];
  return typeof value === "string" ? value : "";
}
