// How many incidents are open, alerts firing and jobs running: asked now and then, and when an event tells so.
import { effect, signal } from "@preact/signals";
import { ask, changes, keyTurn } from "./api";
import { isOpen, onEvent } from "./feed";
import type { AlertLine, Incident, JobLine } from "./model";

const EVERY_MS = 15_000;
const SOON_MS = 400;

export const openIncidents = signal<readonly Incident[]>([]);
export const firing = signal<readonly AlertLine[]>([]);
export const runningJobs = signal(0);
export const warnings = signal<readonly string[]>([]);

let soon: ReturnType<typeof setTimeout> | undefined;

function look(path: string, take: (value: never) => void): void {
  ask<never>(path).then(take).catch(() => undefined); // who may not read it, is not told
}

function count(): void {
  soon = undefined;
  if (!isOpen.peek()) return;
  look("/api/incidents?state=open&limit=100", ({ incidents }: { incidents: Incident[] }) => (openIncidents.value = incidents));
  look("/api/alerts", (alerts: AlertLine[]) => (firing.value = alerts));
  look("/api/jobs", (jobs: JobLine[]) => (runningJobs.value = jobs.filter((one) => one.state === "running").length));
  look("/api/status", (status: { warnings: string[] }) => (warnings.value = status.warnings));
}

export function watchCounts(): void {
  setInterval(count, EVERY_MS);
  onEvent((event) => {
    if (event.event_type !== "StatusChanged") soon ??= setTimeout(count, SOON_MS);
  });
  effect(() => {
    if (isOpen.value && keyTurn.value + changes.value >= 0) soon ??= setTimeout(count, 0);
  });
}
