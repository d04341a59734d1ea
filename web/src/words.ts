// How the page says things: ages, figures, reasons, and the one sentence. Everything in words stands here.
import type { Service, Status } from "./model";

export const RANK: Record<Status, number> = { Unhealthy: 0, Degraded: 1, Unknown: 2, Healthy: 3 };
export const SHAPE: Record<Status, string> = { Unhealthy: "■", Degraded: "▲", Unknown: "○", Healthy: "●" };

type Services = ReadonlyMap<string, Service>;

export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  if (whole < 172800) return `${Math.floor(whole / 3600)} h`;
  return `${Math.floor(whole / 86400)} d`;
}

export const age = (moment: string | null | undefined, now: number): string =>
  moment ? span((now - Date.parse(moment)) / 1000) : "–";

export const clock = (moment: string | number | null | undefined): string =>
  moment ? new Date(moment).toISOString().slice(11, 19) : "–";

export const exact = (moment: string | null | undefined): string =>
  moment ? `${new Date(moment).toISOString().replace("T", " ").slice(0, 19)} UTC` : "";

export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  return value >= 10 ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log10(Math.max(value, 1)) / 3));
  return `${figure(value / 1000 ** power)} ${units[power] ?? ""}`;
}

export const percent = (value: number | null | undefined): string =>
  value === null || value === undefined ? "–" : `${value === 100 ? "100" : value.toFixed(2)} %`;

export function worstFirst(a: Service, b: Service): number {
  return (
    RANK[a.status] - RANK[b.status] ||
    Number(b.critical) - Number(a.critical) ||
    Date.parse(a.since ?? "1970-01-01") - Date.parse(b.since ?? "1970-01-01") ||
    a.id.localeCompare(b.id)
  );
}

export function reason(one: Service): string {
  if (one.status === "Healthy") return "";
  if (one.status === "Unknown") return "Not seen yet";
  if (one.error_message) return one.error_message;
  if (one.response_time_ms !== null && one.response_time_ms > one.expected_response_time_ms)
    return `Slow: ${figure(one.response_time_ms)} ms, expected ${figure(one.expected_response_time_ms)} ms`;
  return one.status === "Degraded" ? "Reports trouble of its own" : "Unhealthy";
}

// Causes rank above consequences: one that needs another which is down is explained by it.
export const causeOf = (one: Service, services: Services): Service | undefined =>
  one.depends_on.map((id) => services.get(id)).find((need) => need?.status === "Unhealthy");

const names = (all: Service[]): string => {
  const shown = all.slice(0, 3).map((one) => one.name);
  const more = all.length - shown.length;
  return more > 0 ? `${shown.join(", ")} and ${more} more` : shown.join(", ");
};

export function sentence(services: Services, isLive: boolean, now: number): [string, string] {
  const all = [...services.values()].sort(worstFirst);
  const bad = all.filter((one) => one.status === "Unhealthy");
  const slow = all.filter((one) => one.status === "Degraded");
  const verb = isLive ? "is" : "was";
  if (!all.length) return ["No services are configured.", "Name some in config/monitor.toml, then: fks_master validate"];
  const degraded = slow.length ? `${names(slow)} ${slow.length === 1 ? verb : isLive ? "are" : "were"} degraded.` : "";
  const first = bad.find((one) => !causeOf(one, services)) ?? bad[0];
  if (!first) {
    const unseen = all.filter((one) => one.status === "Unknown");
    if (unseen.length) return [`${all.length - unseen.length} of ${all.length} services answered so far.`, degraded];
    return [isLive ? `${all.length} services, none down.` : `${all.length} services, none was down.`, degraded];
  }
  const others = bad
    .filter((one) => one !== first)
    .slice(0, 4)
    .map((one) => {
      const cause = causeOf(one, services);
      return cause ? `${one.name} fails because it needs ${cause.name}.` : `${one.name}: ${reason(one)}.`;
    });
  const state = first.is_down ? "down" : "failing";
  const head = `${first.name} ${verb} ${state} since ${clock(first.since).slice(0, 5)} (${age(first.since, now)}): ${reason(first)}.`;
  return [head, [...others, degraded].filter(Boolean).join(" ")];
}

export function title(services: Services, isOld: boolean): string {
  if (isOld) return "Not connected · FKS Master";
  const worst = worstOf(services);
  const all = [...services.values()];
  const count = worst === "Healthy" ? all.length : all.filter((one) => one.status === worst).length;
  return `${SHAPE[worst]} ${count} ${worst.toLowerCase()} · FKS Master`;
}

export function worstOf(services: Services): Status {
  let worst: Status = services.size ? "Healthy" : "Unknown";
  for (const one of services.values()) if (RANK[one.status] < RANK[worst]) worst = one.status;
  return worst;
}
