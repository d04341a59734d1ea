import { expect, it } from "vitest";
import type { Series } from "../model";
import { broken, ticksTo, topOf, unseen } from "./scale";

it("makes three or four round ticks from zero", () => {
  expect(ticksTo(560)).toEqual([0, 200, 400, 600]);
  expect(ticksTo(1.7)).toEqual([0, 1, 2]);
  expect(ticksTo(0)).toHaveLength(2);
  for (const high of [0.03, 7, 99, 1234, 98765]) expect(ticksTo(high).length).toBeLessThanOrEqual(5);
});

it("shows what is expected only where the figures come near it", () => {
  expect(topOf(450, 500)).toBeGreaterThan(500);
  expect(topOf(3, 500)).toBeLessThan(5);
});

it("breaks a line where a point is missing", () => {
  const points = [0, 60, 240].map((at) => ({ at, value: at + 1 }));
  const [times, values] = broken(points, 60, (point) => point.at, [(point) => point.value]);
  expect(times).toEqual([0, 60, 120, 240]);
  expect(values).toEqual([1, 61, null, 241]);
});

it("names the time for which nothing is known", () => {
  const at = (minute: number) => new Date(minute * 60_000).toISOString();
  const series = {
    service_id: "a", since: at(0), until: at(60), step_seconds: 60, points: [],
    statuses: [{ started_at: at(10), ended_at: at(20), status: "Healthy" }, { started_at: at(20), ended_at: at(25), status: "Unknown" }, { started_at: at(30), ended_at: at(60), status: "Healthy" }],
  } as Series;
  expect(unseen(series).map(([from, to]) => [from / 60, to / 60])).toEqual([[0, 10], [20, 25], [25, 30]]);
});
