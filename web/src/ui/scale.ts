// The arithmetic of charts: round ticks from zero, lines that break where nothing was seen.
import type { Series } from "../model";

const STEPS = [1, 2, 2.5, 5, 10];
const TICKS = 3; // and two where there is little room

/** Ticks from zero to at least `high`: three or four, at round figures. */
export function ticksTo(high: number, count = TICKS): number[] {
  const raw = Math.max(high, 1e-6) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = (STEPS.find((each) => each * power >= raw * 0.999) ?? 10) * power;
  const ticks = [0];
  while ((ticks.at(-1) ?? 0) < high * 0.999) ticks.push(Number((ticks.length * step).toPrecision(12)));
  return ticks.length > 1 ? ticks : [0, step];
}

/** What is expected is in the picture where the figures come near it; else they would be a line on the floor. */
export const topOf = (high: number, limit: number | null): number =>
  limit !== null && high * 2.5 > limit ? Math.max(high * 1.05, limit * 1.1) : (high || 1) * 1.15;

export type Values = (number | null)[];

/** Times in seconds and columns of figures, with a break wherever a point is missing. */
export function broken<P>(points: readonly P[], step: number, at: (point: P) => number, columns: ((point: P) => number | null)[]): [times: number[], ...Values[]] {
  const times: number[] = [];
  const values: Values[] = columns.map(() => []);
  for (const point of points) {
    const moment = at(point);
    const last = times.at(-1);
    if (last !== undefined && moment - last > 1.6 * step) {
      times.push(last + step);
      for (const column of values) column.push(null);
    }
    times.push(moment);
    columns.forEach((read, index) => values[index]?.push(read(point)));
  }
  return [times, ...values];
}

export type Stretch = readonly [from: number, to: number];

/** The times, in seconds, for which nothing is known: between, before and after what was seen. */
export function unseen({ since, until, statuses, step_seconds }: Series): Stretch[] {
  const gaps: Stretch[] = [];
  let at = Date.parse(since) / 1000;
  for (const one of statuses) {
    const from = Date.parse(one.started_at) / 1000;
    if (from - at > step_seconds) gaps.push([at, from]);
    const to = Date.parse(one.ended_at) / 1000;
    if (one.status === "Unknown") gaps.push([from, to]);
    at = Math.max(at, to);
  }
  const end = Date.parse(until) / 1000;
  if (end - at > 2 * step_seconds) gaps.push([at, end]);
  return gaps;
}
